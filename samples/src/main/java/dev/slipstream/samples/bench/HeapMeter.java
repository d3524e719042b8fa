package dev.slipstream.samples.bench;

import com.sun.management.ThreadMXBean;
import dev.slipstream.pipelines.run.LoopObserver;
import java.lang.management.ManagementFactory;
import java.util.Arrays;

/**
 * Counts what some threads allocate on the heap between two steps of a loop. Steps at the edges are left out where
 * there are enough: at the start the host queues several at once.
 */
final class HeapMeter implements LoopObserver {
    private static final int EDGE = 6;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private final long[] ids;
    private final int first;
    private final int last;
    private long before;
    private long after;

    /** @param ids of the threads */
    HeapMeter(long[] ids, int steps) {
        if (steps < 2) {
            throw new IllegalArgumentException("allocations are counted over at least 2 steps, not " + steps);
        }
        this.ids = ids.clone();
        boolean enough = steps > 2 * EDGE + 1;
        this.first = enough ? EDGE - 1 : 0;
        this.last = enough ? steps - EDGE : steps - 1;
    }

    @Override
    public void stepDone(int step, int steps) {
        if (step == first) {
            before = allocated();
        } else if (step == last) {
            after = allocated();
        }
    }

    private long allocated() {
        return Arrays.stream(threads.getThreadAllocatedBytes(ids)).sum();
    }

    /** Whether work for this step, counted from 0, lies in what was counted. */
    boolean counts(int step) {
        return step > first && step <= last;
    }

    int steps() {
        return last - first;
    }

    long bytes() {
        return after - before;
    }
}
