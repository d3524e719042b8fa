package dev.slipstream.pipelines.cache;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** Another process that uses a cache: what it runs, and how a test starts it. */
final class CacheProcess {
    /** Entries that the {@code churn} role puts, uses and evicts again and again. */
    static final int ENTRIES = 24;
    /** So few entries have a graph of neighbours, so that processes are killed while they write one, too. */
    static final int GRAPH_FROM = 5;

    private CacheProcess() {
    }

    /**
     * A small JVM in one of two roles. Each says when it is ready, and then waits for {@link #go}.
     * <ul>
     * <li>{@code put FIRST COUNT}: puts so many entries, then ends
     * <li>{@code churn SEED}: puts, uses and clears random entries in little room until it is killed
     * </ul>
     */
    static Process start(Path folder, Object... role) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-cp",
            String.join(File.pathSeparator, System.getProperty("java.class.path").split(File.pathSeparator)),
            CacheProcess.class.getName(), folder.toString());
        for (Object word : role) {
            builder.command().add(word.toString());
        }
        return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    static void awaitReady(Process process) throws IOException {
        if (!"ready".equals(process.inputReader().readLine())) {
            throw new IOException("the other process ended before it was ready");
        }
    }

    static void go(List<Process> processes) throws IOException {
        for (Process process : processes) {
            try (OutputStream in = process.getOutputStream()) {
                in.write('\n');
            }
        }
    }

    public static void main(String[] args) throws IOException {
        // Little enough that entries are evicted all the time.
        long room = args[1].equals("churn") ? 100_000 : 1 << 30;
        Path folder = Path.of(args[0]);
        // Loads all classes, so that the time until it is killed goes into writing.
        try (LatentCache own = new LatentCache(folder.resolveSibling("of-" + ProcessHandle.current().pid()), room,
            GRAPH_FROM)) {
            for (int number = 0; number < 2 * GRAPH_FROM; number++) {
                CacheSamples.put(own, number);
                CacheSamples.serves(own, number);
            }
            own.clear();
        }
        try (LatentCache cache = new LatentCache(folder, room, GRAPH_FROM)) {
            System.out.println("ready");
            System.in.read();
            if (args[1].equals("put")) {
                int first = Integer.parseInt(args[2]);
                for (int number = first; number < first + Integer.parseInt(args[3]); number++) {
                    if (!CacheSamples.put(cache, number)) {
                        System.exit(1);
                    }
                }
            } else {
                churn(cache, new SplittableRandom(Long.parseLong(args[2])));
            }
        }
    }

    private static void churn(LatentCache cache, SplittableRandom random) {
        // Not for ever: who started it may be gone.
        for (int round = 0; round < 5000; round++) {
            int number = random.nextInt(ENTRIES);
            switch (random.nextInt(40)) {
                case 0 -> cache.clear(CacheKey.DEFAULT_NAMESPACE);
                case 1 -> cache.verify();
                default -> {
                    if (CacheSamples.lookup(cache, number) instanceof Answer.Hit hit) {
                        cache.served(hit, 0.5);
                    } else {
                        CacheSamples.put(cache, number);
                    }
                }
            }
        }
    }
}
