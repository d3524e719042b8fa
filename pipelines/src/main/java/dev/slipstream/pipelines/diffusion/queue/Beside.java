package dev.slipstream.pipelines.diffusion.queue;

import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What goes on beside loops, on a thread of its own: decoding what was denoised, in order, and encoding the prompts of
 * who waits longest. Each begins at the step at which it takes least from the loop, by how long works took before. No
 * part of a request reads what another request writes, so nobody's bits change. All state is guarded by the queue.
 */
public final class Beside {
    private static final Logger LOG = LoggerFactory.getLogger(Beside.class);
    /** Denoised requests that wait for their pictures, at most. */
    private static final int MOST_DECODINGS = 2;

    private static final String DECODE = "decode";
    private static final String ENCODE = "encode";

    private final Object lock;
    private final SequencedMap<Object, QueuedWork> waiting;
    private final Deque<QueuedWork> decoding = new ArrayDeque<>();
    private final List<Job> jobs = new ArrayList<>();
    private @Nullable Thread helper;
    private boolean works;
    private boolean over;
    /** Whose prompts are being encoded, or were, before its turn. */
    private @Nullable QueuedWork ahead;
    private @Nullable Throwable aheadFailure;
    private boolean encodes;
    private boolean loops;
    /** Whether a loop will run at once, so that what waits for a step of it waits. */
    private boolean loopIsNear;
    private int stepsDone;
    private int decodesAfter;
    private int encodesAfter;
    private long loopNanos;
    /** How long works took last, in nanoseconds. */
    private final Map<String, Long> took = new HashMap<>();

    /** Something that ran beside a loop. @param end 0 while it runs */
    private record Job(String name, long start, long end) {
    }

    /** @param lock guards those who wait, and all of this */
    Beside(Object lock, SequencedMap<Object, QueuedWork> waiting) {
        this.lock = lock;
        this.waiting = waiting;
    }

    /** Waits, under the lock, for what other threads do. */
    void await(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            try {
                lock.wait();
            } catch (InterruptedException ofNoUse) {
                // Only the end of the queue ends its threads.
            }
        }
    }

    /** Under the lock: says whether the queue goes on with a loop at once. */
    void expectLoop(boolean near) {
        loopIsNear = near;
        lock.notifyAll();
    }

    /**
     * Whether the prompts of a request were encoded before its turn; waits if any are just being, also those of one
     * that nobody waits for any more, as encoders do one thing at a time.
     *
     * @throws Throwable what went wrong then
     */
    boolean hasEncoded(QueuedWork work) throws Throwable {
        synchronized (lock) {
            await(() -> !encodes);
            if (ahead != work) {
                expectLoop(false);
                return false;
            }
            Throwable failure = aheadFailure;
            ahead = null;
            if (failure != null) {
                throw failure;
            }
            return true;
        }
    }

    /** Waits until nothing uses engines, so that they may be built and freed. */
    void awaitIdle() {
        synchronized (lock) {
            await(() -> !works && decoding.isEmpty());
        }
    }

    /** Denoises on this thread. */
    void denoise(QueuedWork work, Optional<Consumer<Timeline>> timelines) {
        long start;
        synchronized (lock) {
            expectLoop(decoding.size() < MOST_DECODINGS);
            await(() -> decoding.size() < MOST_DECODINGS);
            List<Integer> begins = loopNanos == 0 ? List.of(0, 0)
                : work.begins(List.of(took.getOrDefault(DECODE, 0L), took.getOrDefault(ENCODE, 0L)), loopNanos);
            decodesAfter = begins.getFirst();
            encodesAfter = begins.getLast();
            jobs.removeIf(job -> job.end != 0);
            stepsDone = 0;
            loops = work.overlaps();
            start = System.nanoTime();
            lock.notifyAll();
        }
        try {
            work.denoise(new QueuedWork.Follower() {
                @Override
                public void stepsDone(int steps) {
                    synchronized (lock) {
                        stepsDone = steps;
                        lock.notifyAll();
                    }
                }

                @Override
                public void looped(Supplier<Timeline> timeline, long endedAt) {
                    timelines.ifPresent(listener -> listener.accept(withJobs(timeline.get(), endedAt, work.home())));
                }
            });
        } finally {
            synchronized (lock) {
                loops = false;
                loopNanos = System.nanoTime() - start;
                expectLoop(!waiting.isEmpty());
            }
        }
    }

    private Timeline withJobs(Timeline timeline, long endedAt, int device) {
        long start = endedAt - timeline.endNanos();
        Timeline all = timeline;
        synchronized (lock) {
            for (Job job : jobs) {
                all = all.with(device, job.name, job.start - start, (job.end == 0 ? endedAt : job.end) - start);
            }
        }
        return all;
    }

    /** Takes over a request that was denoised, to make its pictures. */
    void finish(QueuedWork work) {
        synchronized (lock) {
            decoding.add(work);
            if (helper == null) {
                helper = Thread.ofPlatform().daemon().name("slipstream beside").start(this::help);
            }
            lock.notifyAll();
        }
    }

    /** Makes the pictures of a request on this thread. */
    static void decode(QueuedWork work) {
        Throwable failure = null;
        try {
            work.decode();
        } catch (Throwable failed) {
            failure = failed;
        }
        work.end(failure);
    }

    /** Under the lock: drops what was made for a request that nobody waits for any more. */
    void forget(QueuedWork work) {
        if (ahead == work) {
            ahead = null;
            if (!encodes) {
                work.free();
            }
        }
    }

    private void help() {
        for (Runnable next = next(); next != null; next = next()) {
            try {
                next.run();
            } catch (Throwable failure) {
                // Of a callback that runs here; who waits for others must not wait for ever.
                LOG.warn("a callback of a request failed", failure);
            }
            synchronized (lock) {
                works = false;
                lock.notifyAll();
            }
        }
        synchronized (lock) {
            helper = null;
            lock.notifyAll();
        }
    }

    private @Nullable Runnable next() {
        synchronized (lock) {
            await(() -> mayDecode() || mayEncode() || over);
            if (mayDecode()) {
                works = true;
                QueuedWork work = decoding.remove();
                lock.notifyAll();
                return () -> timed(DECODE, () -> decode(work));
            }
            if (mayEncode()) {
                works = true;
                QueuedWork work = waiting.firstEntry().getValue();
                ahead = work;
                aheadFailure = null;
                encodes = true;
                return () -> timed(ENCODE, () -> encode(work));
            }
            return null;
        }
    }

    private boolean mayDecode() {
        return !decoding.isEmpty() && (loops ? stepsDone >= decodesAfter : !loopIsNear);
    }

    private boolean mayEncode() {
        return ahead == null && loops && stepsDone >= encodesAfter && !waiting.isEmpty()
            && waiting.firstEntry().getValue().takeEngines();
    }

    private void encode(QueuedWork work) {
        Throwable failure = null;
        try {
            work.encode();
        } catch (Throwable failed) {
            failure = failed;
        }
        synchronized (lock) {
            encodes = false;
            aheadFailure = failure;
            if (ahead != work) {
                work.free();
            }
            lock.notifyAll();
        }
    }

    private void timed(String name, Runnable work) {
        Job running = new Job(name, System.nanoTime(), 0);
        synchronized (lock) {
            jobs.add(running);
        }
        try {
            work.run();
        } finally {
            synchronized (lock) {
                jobs.remove(running);
                jobs.add(new Job(name, running.start, System.nanoTime()));
                took.put(name, jobs.getLast().end - running.start);
            }
        }
    }

    /** Lets it do what is left, and waits for that. */
    void close() {
        synchronized (lock) {
            over = true;
            expectLoop(false);
            await(() -> helper == null);
        }
    }

    boolean isThisThread() {
        synchronized (lock) {
            return Thread.currentThread() == helper;
        }
    }
}
