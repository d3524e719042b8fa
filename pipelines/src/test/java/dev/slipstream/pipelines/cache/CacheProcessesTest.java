package dev.slipstream.pipelines.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several processes on one cache. */
@Timeout(240)
class CacheProcessesTest {
    private static final int EACH = 60;

    @TempDir
    private Path parent;
    private Path folder;

    @BeforeEach
    void name() {
        folder = parent.resolve("latents");
    }

    @Test
    void threeWritersLoseNothingAndSeeEachOther() throws Exception {
        try (LatentCache cache = new LatentCache(folder, 1 << 30)) {
            List<Process> others = List.of(CacheProcess.start(folder, "put", 1000, EACH),
                CacheProcess.start(folder, "put", 2000, EACH));
            for (Process other : others) {
                CacheProcess.awaitReady(other);
            }
            CacheProcess.go(others);
            for (int number = 0; number < EACH; number++) {
                assertTrue(CacheSamples.put(cache, number));
            }
            for (Process other : others) {
                assertEquals(0, other.waitFor());
            }
            assertEquals(3 * EACH, cache.list().size());
            try (LatentCache next = new LatentCache(folder, 1 << 30)) {
                assertEquals(3 * EACH, next.list().size());
                for (int number = 0; number < EACH; number++) {
                    for (int first : new int[] {0, 1000, 2000}) {
                        assertTrue(CacheSamples.serves(cache, first + number));
                        assertTrue(CacheSamples.serves(next, first + number));
                    }
                }
                assertEquals(new LatentCache.Verification(3 * EACH, 0), next.verify());
            }
        }
    }

    @Test
    void whatOneProcessClearsTheOtherServesNoMore() {
        try (LatentCache one = new LatentCache(folder, 1 << 30); LatentCache other = new LatentCache(folder, 1 << 30)) {
            CacheSamples.put(one, 1);
            assertTrue(CacheSamples.serves(other, 1));
            one.clear();
            assertEquals(new Answer.Miss(Answer.Reason.EMPTY), CacheSamples.lookup(other, 1));
            assertTrue(CacheSamples.put(other, 1));
            assertTrue(CacheSamples.serves(one, 1));
        }
    }
}
