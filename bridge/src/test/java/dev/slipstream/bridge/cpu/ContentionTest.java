package dev.slipstream.bridge.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentionTest {
    private static final long INTERVAL = 10_000_000;

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
