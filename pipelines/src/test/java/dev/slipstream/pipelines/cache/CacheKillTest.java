package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that put, use, evict and clear entries are killed at random moments: the cache opens each time, and what it
 * serves is whole and right.
 */
class CacheKillTest {
    private static final int WRITERS = 2;
    private static final long LONGEST_PAUSE_NANOS = 60_000_000;

    @TempDir
    private Path parent;
    private Path folder;

    @BeforeEach
    void name() {
        folder = parent.resolve("latents");
    }

    @Test
    void afterKillsWhatIsServedIsRight() throws Exception {
        kill(10);
    }

    @Test
    @Tag("slow")
    void afterManyKillsWhatIsServedIsRight() throws Exception {
        kill(Integer.getInteger("kills", 200));
    }

    private void kill(int kills) throws Exception {
        SplittableRandom random = new SplittableRandom(7);
        List<Process> ahead = new ArrayList<>();
        long torn = 0;
        long graphs = 0;
        long served = 0;
        try {
            for (int killed = 0; killed < kills; killed += WRITERS) {
                // Those of the next round start meanwhile, and wait.
                while (ahead.size() < Math.min(2 * WRITERS, kills - killed)) {
                    ahead.add(CacheProcess.start(folder, "churn", random.nextLong()));
                }
                List<Process> writers = new ArrayList<>(ahead.subList(0, WRITERS));
                ahead.subList(0, WRITERS).clear();
                for (Process writer : writers) {
                    CacheProcess.awaitReady(writer);
                }
                CacheProcess.go(writers);
                for (Process writer : writers) {
                    // The moment is what the test varies; nothing is waited for.
                    LockSupport.parkNanos(random.nextLong(LONGEST_PAUSE_NANOS));
                    writer.destroyForcibly().waitFor();
                }
                torn += rests();
                graphs += files(NeighbourFile.NAME::equals);
                served += serve();
            }
        } finally {
            ahead.forEach(Process::destroyForcibly);
        }
        System.out.printf("%d kills left %d rests and %d graphs; %d entries served, none wrong%n", kills, torn, graphs,
            served);
        assertTrue(served > 0, "nothing was written");
        assertTrue(torn > 0 || kills < 100, "no kill hit a write");
        assertTrue(graphs > 0 || kills < 100, "no graph was written");
    }

    /** A cache that was not open before serves what is there, and nothing else; then nothing of the dead is left. */
    private int serve() throws IOException {
        try (LatentCache cache = new LatentCache(folder, 1 << 30, CacheProcess.GRAPH_FROM)) {
            int served = 0;
            for (int number = 0; number < CacheProcess.ENTRIES; number++) {
                served += CacheSamples.serves(cache, number) ? 1 : 0;
            }
            assertEquals(served, cache.list().size(), "each entry that is there is found");
            assertEquals(new LatentCache.Verification(served, 0), cache.verify());
            assertTrue(CacheSamples.put(cache, 999));
            cache.clear(CacheKey.DEFAULT_NAMESPACE);
            assertEquals(0, rests());
            assertTrue(CacheSamples.put(cache, 0));
            return served;
        }
    }

    private long rests() throws IOException {
        return files(name -> name.endsWith(".tmp") || name.endsWith(".lock"));
    }

    private long files(Predicate<String> named) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.map(file -> file.getFileName().toString()).filter(named).count();
        }
    }
}
