package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentionTest {
    private static final long INTERVAL = 5_000_000;

    private static final Path FILES = Path.of("/proc/self/fd");

    @TempDir
    private Path folder;
    private Path counters;
    private Contention contention;
    private long now;
    private long ran;
    private long waited;

    @BeforeEach
    void open() throws IOException {
        counters = Files.writeString(folder.resolve("schedstat"), "0 0 0\n");
        contention = new Contention(counters, () -> now);
    }

    @AfterEach
    void close() {
        contention.close();
    }

    /** An interval in which the thread waited for this share of the time. */
    private boolean after(double share) throws IOException {
        now += INTERVAL;
        ran += (long) (INTERVAL * (1 - share));
        waited += (long) (INTERVAL * share);
        Files.writeString(counters, ran + " " + waited + " 1\n");
        return contention.coresAreFree();
    }

    @Test
    void coresAreFreeOnceTheThreadHasNotWaitedForAWhile() throws IOException {
        String said = "";
        for (double share : new double[] {0, 0, 0, 0.01, 0.05, 0.3, 0, 0, 0, 0}) {
            said += after(share) ? "f" : "b";
        }
        assertEquals("bbfffbbfff", said);
    }

    /** As of the limit itself, and however long it has waited before. */
    @Test
    void onlyTheLastIntervalCounts() throws IOException {
        String said = "";
        for (double share : new double[] {0.12, 0.12, 0.12, 0.9, 0.9, 0.9, 0.9, 0.3, 0.3, 0.3, 0.1, 0.1}) {
            said += after(share) ? "f" : "b";
        }
        assertEquals("bbfbbbbbbbbf", said);
    }

    @Test
    void anotherThreadBeginsAnew() throws Exception {
        for (int i = 0; i < 4; i++) {
            after(0);
        }
        // It has counters of its own behind the same path.
        Files.delete(counters);
        FutureTask<String> other = new FutureTask<>(() -> "" + after(0.5) + after(0.5) + after(0.5) + after(0.01)
            + after(0.01));
        Thread.ofPlatform().start(other);
        assertEquals("falsefalsefalsefalsetrue", other.get());
    }

    @Test
    void whereTheCountersAreGoneCoresAreNotFree() throws IOException {
        for (int i = 0; i < 4; i++) {
            after(0);
        }
        Files.delete(counters);
        contention.close();
        assertFalse(contention.coresAreFree());
        for (int i = 0; i < 4; i++) {
            now += INTERVAL;
            assertFalse(contention.coresAreFree());
        }
    }

    @Test
    void theCountersAreClosed() throws IOException {
        assumeTrue(Files.isDirectory(FILES), "this system does not list the files of a process");
        after(0);
        assertTrue(isOpen());
        contention.close();
        assertFalse(isOpen());
    }

    private boolean isOpen() throws IOException {
        try (Stream<Path> open = Files.list(FILES)) {
            return open.anyMatch(file -> {
                try {
                    return Files.isSameFile(file, counters);
                } catch (IOException closed) {
                    return false;
                }
            });
        }
    }

    @Test
    void betweenTwoIntervalsTheAnswerStays() throws IOException {
        for (int i = 0; i < 4; i++) {
            after(0);
        }
        waited += INTERVAL;
        Files.writeString(counters, ran + " " + waited + " 1\n");
        now += INTERVAL / 10;
        assertTrue(contention.coresAreFree());
    }

    @Test
    void whereTheSystemDoesNotTellTheyAreTakenForFree() {
        assertTrue(new Contention(folder.resolve("missing"), () -> 0).coresAreFree());
    }
}
