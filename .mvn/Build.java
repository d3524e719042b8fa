import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Builds the command: {@code java Build.java ROOT}. Used by the launcher alone. One process at a time builds; others
 * wait for it and find the work done. What a killed build left is thrown away by the next.
 */
final class Build {
    private static final int PATIENCE_SECONDS = 10;

    private final Path root;

    private Build(Path root) {
        this.root = root;
    }

    public static void main(String[] args) throws Exception {
        try {
            new Build(Path.of(args[0])).run();
        } catch (AccessDeniedException unwritable) {
            fail("it must be built once, by a user who may write " + unwritable.getFile());
        } catch (IOException failure) {
            fail("the build failed: " + failure.getMessage());
        }
    }

    private static void fail(String why) {
        System.err.println("slipstream: " + why);
        System.exit(1);
    }

    private void run() throws IOException, InterruptedException {
        // The lock ends with the process, however that ends; a word in the file tells that it did so too early.
        try (FileChannel file = FileChannel.open(root.resolve(".mvn/building"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE); FileLock held = file.lock()) {
            if (exitCode(new ProcessBuilder(root.resolve(".mvn/outdated").toString())) != 0) {
                return;
            }
            System.err.println("slipstream: building the command, once; libraries that are missing are downloaded, "
                + "at most 110 MB");
            FileTime begin = FileTime.from(Instant.now());
            boolean anew = file.size() > 0;
            file.write(ByteBuffer.wrap("building\n".getBytes()), 0);
            maven(anew ? List.of("clean", "package") : List.of("package"));
            Path target = root.resolve("samples/target");
            Files.deleteIfExists(target.resolve("slipstream.jsa"));
            Path built = target.resolve("built");
            Files.writeString(built, "");
            // What changed meanwhile is newer.
            Files.setLastModifiedTime(built, begin);
            file.truncate(0);
        }
    }

    private void maven(List<String> goals) throws IOException, InterruptedException {
        // Who changes the sources checks them and their format with ./mvnw verify.
        List<String> command = new ArrayList<>(List.of(root.resolve("mvnw").toString(), "-q", "-B",
            "-Dcommand.only"));
        command.addAll(goals);
        // Only the lock's holder writes it, and the next one from its beginning, however this one ends.
        Path log = root.resolve(".mvn/building.log");
        int code = exitCode(new ProcessBuilder(command).directory(root.toFile()).redirectErrorStream(true)
            .redirectOutput(log.toFile()));
        if (code != 0) {
            Files.copy(log, System.err);
            throw new IOException("Maven ended with " + code);
        }
        Files.delete(log);
    }

    /** Runs a process that does not outlive this one. */
    private static int exitCode(ProcessBuilder builder) throws IOException, InterruptedException {
        Process process = builder.start();
        Thread end = new Thread(() -> {
            process.descendants().forEach(ProcessHandle::destroy);
            process.destroy();
            try {
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                }
            } catch (InterruptedException hurried) {
                Thread.currentThread().interrupt();
            }
        });
        Runtime.getRuntime().addShutdownHook(end);
        int code = process.waitFor();
        try {
            Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException ending) {
            // Nothing more is to be said.
            Thread.currentThread().join();
        }
        return code;
    }
}
