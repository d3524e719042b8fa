package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.plan.PlanException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * Feeds damaged files to a reader. Each is read, or refused with the reader's own exception; anything else, also one
 * that takes five seconds of a processor or allocates more than its size allows, fails the test and is named by its
 * number.
 *
 * @param name of what is read
 * @param freeBytes what any file may allocate on the heap, however small
 * @param perByte what a file may allocate for each of its bytes, beyond that
 */
public record Fuzz(String name, long freeBytes, long perByte) {
    /** Of a processor, which other work on the machine does not shorten. */
    private static final Duration LONGEST = Duration.ofSeconds(5);
    /** Of the clock: a reader that waits for ever uses no processor. */
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(2);
    private static final int LOOKS_AFTER_MILLIS = 500;
    /** So many are read before allocation counts: loading classes allocates too, which is no file's fault. */
    private static final int WARM_UP = 200;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Reads a file, or part of what is done with it. */
    public interface Reader {
        void read(byte[] file) throws IOException;
    }

    /** How many files were read and refused, the most that one of them allocated, and its size. */
    public record Outcome(int read, int refused, long mostBytes, int size) {
        private Outcome and(Attempt attempt, int size) {
            boolean more = attempt.allocated > mostBytes;
            return new Outcome(read + (attempt.read ? 1 : 0), refused + (attempt.read ? 0 : 1),
                more ? attempt.allocated : mostBytes, more ? size : this.size);
        }
    }

    /** What {@code -Dfuzz=COUNT} says, else {@code usual}. */
    public static int tries(int usual) {
        return Integer.getInteger("fuzz", usual);
    }

    /** @param files makes the damaged files */
    public Outcome run(int tries, Function<Random, byte[]> files, Reader reader) throws InterruptedException {
        AtomicReference<Thread> worker = new AtomicReference<>();
        Outcome outcome = new Outcome(0, 0, 0, 0);
        ExecutorService executor = Executors.newSingleThreadExecutor(task -> {
            Thread thread = Thread.ofPlatform().daemon().unstarted(task);
            worker.set(thread);
            return thread;
        });
        try {
            for (int number = -WARM_UP; number < tries; number++) {
                byte[] file = files.apply(new Random(number));
                long most = freeBytes + perByte * file.length;
                Attempt attempt = attempt(executor, worker, file, reader, at(number, file));
                if (number < 0) {
                    continue;
                }
                if (attempt.allocated > most) {
                    // What is there for the first time, like a class that prints, is not there for the second.
                    attempt = attempt(executor, worker, file, reader, at(number, file));
                }
                outcome = outcome.and(attempt, file.length);
                assertTrue(attempt.allocated <= most, at(number, file) + " makes it allocate " + attempt.allocated
                    + " bytes");
            }
        } finally {
            // Not closed, which would wait for a worker that hangs.
            executor.shutdownNow();
        }
        return outcome;
    }

    private String at(int number, byte[] file) {
        return name + ": damaged file " + number + " of " + file.length + " bytes";
    }

    private record Attempt(boolean read, long allocated) {
    }

    private static Attempt attempt(ExecutorService executor, AtomicReference<Thread> worker, byte[] file,
                                   Reader reader, String what) throws InterruptedException {
        Future<Attempt> running = executor.submit(() -> attempt(file, reader));
        return ended(running, worker.get(), what);
    }

    private static Attempt ended(Future<Attempt> running, Thread worker, String what) throws InterruptedException {
        long used = THREADS.getThreadCpuTime(worker.threadId());
        long began = System.nanoTime();
        while (true) {
            try {
                return running.get(LOOKS_AFTER_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (THREADS.getThreadCpuTime(worker.threadId()) - used > LONGEST.toNanos()
                    || System.nanoTime() - began > LONGEST_WAIT.toNanos()) {
                    throw new AssertionError(what + " hangs it, in " + Arrays.toString(worker.getStackTrace()), e);
                }
            } catch (ExecutionException e) {
                throw new AssertionError(what + " breaks it", e.getCause());
            }
        }
    }

    private static Attempt attempt(byte[] file, Reader reader) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        boolean read;
        try {
            reader.read(file);
            read = true;
        } catch (GraphException | ModelException | NoiseSchedulerException | PlanException e) {
            assertTrue(e.getMessage() != null && !e.getMessage().isBlank(), "it must say what is wrong");
            read = false;
        }
        return new Attempt(read, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
}
