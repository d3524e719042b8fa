package dev.slipstream.bridge.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that write engines are killed at random moments: what is left is never served unless it is whole and right.
 * {@code -Dkills=1000} makes it a thousand times instead of some.
 */
class KillTest {
    private static final int KILLS = Integer.getInteger("kills", 20);
    /** Writers at work at the same time, in the same folder. */
    private static final int WRITERS = 4;
    /** Between two kills; long enough to write an engine. */
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    @TempDir
    private Path folder;

    @Test
    void noWrongOrTornEngineIsServedAfterKills() throws Exception {
        SplittableRandom random = new SplittableRandom();
        EngineStore store = new EngineStore(folder, 1L << 30);
        Queue<Process> ahead = new ArrayDeque<>();
        long torn = 0;
        long served = 0;
        try {
            for (int killed = 0; killed < KILLS; killed += WRITERS) {
                // Those of the next round start meanwhile, and wait.
                while (ahead.size() < Math.min(2 * WRITERS, KILLS - killed)) {
                    ahead.add(StoreProcess.start(folder, "write", Long.toString(random.nextLong())));
                }
                List<Process> writers = new ArrayList<>();
                while (writers.size() < WRITERS && !ahead.isEmpty()) {
                    writers.add(ahead.remove());
                }
                kill(writers, random);
                torn += count(".tmp");
                served += serve(store);
            }
        } finally {
            ahead.forEach(Process::destroyForcibly);
        }
        Samples.get(store, 99, Samples.engine(99));
        assertEquals(0, count(".tmp"), "rests of dead writers");
        assertEquals(0, count(".lock"), "locks of dead writers");
        // At least so many kills hit a write: writers that live on delete what dead ones leave.
        System.out.printf("%d kills left %d or more torn temporary files; %d engines served, none wrong%n", KILLS,
            torn, served);
        assertTrue(torn > 0 || KILLS < 100, "no kill hit a write");
        assertTrue(served > 0, "nothing was written");
    }

    private static void kill(List<Process> writers, SplittableRandom random) throws Exception {
        for (Process writer : writers) {
            StoreProcess.awaitReady(writer);
        }
        for (Process writer : writers) {
            StoreProcess.go(writer);
        }
        for (Process writer : writers) {
            // The moment is what the test varies; nothing is waited for.
            LockSupport.parkNanos(random.nextLong(LONGEST_PAUSE_NANOS));
            writer.destroyForcibly().waitFor();
        }
    }

    /** Whatever is in the folder is right, and needs not be built again. */
    private int serve(EngineStore store) {
        int served = 0;
        for (int number = 0; number < StoreProcess.ENGINES; number++) {
            if (Files.exists(folder.resolve(Samples.key(number).id() + ".engine"))) {
                assertArrayEquals(Samples.engine(number), Samples.get(store, number));
                served++;
            }
        }
        return served;
    }

    private long count(String ending) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> entry.getFileName().toString().endsWith(ending)).count();
        }
    }
}
