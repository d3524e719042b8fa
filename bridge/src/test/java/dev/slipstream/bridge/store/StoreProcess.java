package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.KeyLock;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Stream;

/** Another process that uses a store: what it runs, and how a test starts it. */
final class StoreProcess {
    /** How many engines the {@code write} role writes again and again. */
    static final int ENGINES = 12;

    private StoreProcess() {
    }

    /**
     * A small JVM in one of three roles. Each says when it is ready, and then waits for {@link #go}.
     * <ul>
     * <li>{@code write SEED}: replaces random engines until it is killed
     * <li>{@code build LOG}: gets engine 1, and adds a line to the log if it built it; exits with 0 if it was right
     * <li>{@code hold}: when ready, it has the right to write engine 1, and has written half of it
     * </ul>
     */
    static Process start(Path folder, String... role) throws IOException {
        String classPath = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.endsWith("classes") || entry.contains("slf4j")).reduce((a, b) ->
                a + File.pathSeparator + b).orElseThrow();
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-cp", classPath,
            StoreProcess.class.getName(), folder.toString());
        builder.command().addAll(List.of(role));
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Waits until it says that it is ready. */
    static void awaitReady(Process process) throws IOException {
        BufferedReader out = process.inputReader();
        if (!"ready".equals(out.readLine())) {
            throw new IOException("the other process ended before it was ready");
        }
    }

    /** Lets it begin. */
    static void go(Process process) throws IOException {
        try (OutputStream in = process.getOutputStream()) {
            in.write('\n');
        }
    }

    public static void main(String[] args) throws IOException {
        EngineStore store = new EngineStore(Path.of(args[0]), 1L << 30);
        switch (args[1]) {
            case "write" -> write(store, Long.parseLong(args[2]));
            case "build" -> build(store, Path.of(args[2]));
            case "hold" -> hold(store);
            default -> throw new IllegalArgumentException(args[1]);
        }
    }

    private static void write(EngineStore store, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        byte[][] engines = new byte[ENGINES][];
        Arrays.setAll(engines, Samples::engine);
        // Loads all classes, so that the time until it is killed goes into writing.
        int own = ENGINES + (int) ProcessHandle.current().pid();
        Samples.get(store, own, engines[0]);
        store.remove(Samples.key(own).id());
        System.out.println("ready");
        System.in.read();
        // Not for ever: who started it may be gone.
        for (int round = 0; round < 5_000; round++) {
            int number = random.nextInt(ENGINES);
            store.remove(Samples.key(number).id());
            Samples.get(store, number, engines[number]);
        }
    }

    private static void build(EngineStore store, Path log) throws IOException {
        System.out.println("ready");
        System.in.read();
        byte[] engine = Samples.engine(1, 8 << 20);
        try (Arena arena = Arena.ofConfined()) {
            byte[] bytes = Samples.bytes(store.getOrBuild(Samples.key(1), arena, () -> {
                note(log);
                return MemorySegment.ofArray(Samples.engine(1, 8 << 20));
            }));
            System.exit(Arrays.equals(engine, bytes) ? 0 : 1);
        }
    }

    static void note(Path log) {
        try {
            Files.writeString(log, "built\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static void hold(EngineStore store) throws IOException {
        String name = Samples.key(1).id() + ".engine";
        Files.createDirectories(store.folder());
        try (KeyLock _ = KeyLock.acquire(store.folder().resolve(name))) {
            Files.writeString(store.folder().resolve("." + name + "." + UUID.randomUUID() + ".tmp"), "half");
            System.out.println("ready");
            System.in.read();
        }
    }
}
