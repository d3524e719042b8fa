package dev.slipstream.bridge.file;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Another process that works on files: what it runs, and how a test starts it. */
final class FileProcess {
    private FileProcess() {
    }

    /**
     * A small JVM in one of these roles. Each says when it is ready, and then waits for {@link #go}.
     * <ul>
     * <li>{@code unpack JAR CACHE}: unpacks the libraries of a jar
     * <li>{@code unpacking FOLDER}: when ready, it has the right to unpack there, and has written half of a file
     * <li>{@code temporary}: when ready, it has a temporary folder with a file, which it does not close
     * </ul>
     *
     * @param temporary its {@code java.io.tmpdir}
     */
    static Process start(Path temporary, String... role) throws IOException {
        String classPath = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> Files.isDirectory(Path.of(entry)) || entry.contains("slf4j"))
            .collect(Collectors.joining(File.pathSeparator));
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-Djava.io.tmpdir=" + temporary, "-cp",
            classPath, FileProcess.class.getName());
        builder.command().addAll(List.of(role));
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Waits until it says that it is ready. */
    static void awaitReady(Process process) throws IOException {
        if (!"ready".equals(process.inputReader().readLine())) {
            throw new IOException("the other process ended before it was ready");
        }
    }

    /** Lets it go on. */
    static void go(Process process) throws IOException {
        try (OutputStream in = process.getOutputStream()) {
            in.write('\n');
        }
    }

    public static void main(String[] args) throws IOException {
        switch (args[0]) {
            case "unpack" -> {
                await();
                LibraryCacheTest.unpack(Path.of(args[1]), Path.of(args[2]));
            }
            case "unpacking" -> {
                Path folder = Path.of(args[1]);
                try (KeyLock _ = KeyLock.acquire(folder)) {
                    Files.writeString(folder.resolve(".libfirst.so." + UUID.randomUUID() + ".tmp"), "half");
                    await();
                }
            }
            case "temporary" -> {
                TemporaryFolder folder = TemporaryFolder.create("test");
                Files.writeString(folder.path().resolve("file"), "content");
                await();
            }
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void await() throws IOException {
        System.out.println("ready");
        System.in.read();
    }
}
