package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceLostException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A position that only grows, and threads that wait until it has got somewhere. One thread at a time advances it, any
 * number wait. Neither allocates. Where it will grow no more, it is abandoned, and no thread waits any longer.
 */
final class Progress {
    /** The timeout of a thread that waits as long as it takes. */
    static final long FOREVER = Long.MAX_VALUE;

    /**
     * How long a waiting thread spins before it parks. Waking a parked thread costs 5 to 50 microseconds, so it pays to
     * spin for about as long, but only where a core is idle: on two cores that other work kept busy, a spin of 20
     * microseconds made a queued copy and its synchronize take 48 instead of 12, because the spinning thread stood in
     * the way of the one that it waited for.
     */
    private static final long SPIN_NANOS =
        Runtime.getRuntime().availableProcessors() >= 4 ? TimeUnit.MICROSECONDS.toNanos(20) : 0;

    // Everything written before an advance is seen by a thread that then reads the new position: a volatile write
    // happens before the reads that see it. The order of the two volatile fields matters: advance() writes `reached`
    // and then reads `wanted`, a waiter writes `wanted` and then reads `reached`. Volatile accesses have one total
    // order, so at least one of the two sees the other, and no wake-up is lost.
    private volatile long reached;
    private volatile long wanted = Long.MAX_VALUE;
    private volatile DeviceLostException abandoned;
    private final long spinNanos;
    private Waiter waiters;

    Progress() {
        this(SPIN_NANOS);
    }

    /** @param spinNanos how long a waiting thread spins before it parks */
    Progress(long spinNanos) {
        this.spinNanos = spinNanos;
    }

    /** One thread that waits. Reusable, for one wait at a time. */
    static final class Waiter {
        private Thread thread;
        private long position;
        private Waiter next;
    }

    long reached() {
        return reached;
    }

    boolean hasReached(long position) {
        return reached >= position;
    }

    void advance(long position) {
        reached = position;
        if (position >= wanted) {
            wake(position);
        }
    }

    /** Ends all waits, present and future, for a position that is not reached. */
    void abandon(DeviceLostException why) {
        abandoned = why;
        wake(Long.MAX_VALUE);
    }

    /** Why no thread should wait for it any more; null while it still grows. */
    DeviceLostException abandoned() {
        return abandoned;
    }

    /**
     * Waits until the position is reached, or the progress is abandoned. An interrupt does not end the wait; the
     * thread's flag is set afterwards.
     *
     * @param timeoutNanos how long to wait at most, or {@link #FOREVER}
     * @return whether it is reached
     */
    boolean await(long position, long timeoutNanos, Waiter waiter) {
        if (reached >= position) {
            return true;
        }
        if (timeoutNanos <= 0) {
            return false;
        }
        long start = System.nanoTime();
        long spin = Math.min(spinNanos, timeoutNanos);
        while (System.nanoTime() - start < spin) {
            if (reached >= position || abandoned != null) {
                return reached >= position;
            }
            Thread.onSpinWait();
        }
        return park(position, start, timeoutNanos, waiter);
    }

    private boolean park(long position, long start, long timeoutNanos, Waiter waiter) {
        boolean interrupted = false;
        add(waiter, position);
        try {
            while (reached < position && abandoned == null) {
                if (timeoutNanos == FOREVER) {
                    LockSupport.park(this);
                } else {
                    long left = timeoutNanos - (System.nanoTime() - start);
                    if (left <= 0) {
                        return false;
                    }
                    LockSupport.parkNanos(this, left);
                }
                interrupted |= Thread.interrupted();
            }
            return reached >= position;
        } finally {
            remove(waiter);
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private synchronized void add(Waiter waiter, long position) {
        waiter.thread = Thread.currentThread();
        waiter.position = position;
        waiter.next = waiters;
        waiters = waiter;
        wanted = Math.min(wanted, position);
    }

    private synchronized void remove(Waiter waiter) {
        Waiter before = null;
        for (Waiter each = waiters; each != waiter; each = each.next) {
            before = each;
        }
        if (before == null) {
            waiters = waiter.next;
        } else {
            before.next = waiter.next;
        }
        waiter.next = null;
        waiter.thread = null;
        // Not only of those above `reached`: it may have moved just now, by an advance() that has not read `wanted` yet
        // and still has to wake the others.
        wanted = lowestAbove(Long.MIN_VALUE);
    }

    /** Wakes those whose position is reached; from then on only the others are wanted. */
    private synchronized void wake(long position) {
        for (Waiter each = waiters; each != null; each = each.next) {
            if (each.position <= position) {
                LockSupport.unpark(each.thread);
            }
        }
        wanted = lowestAbove(position);
    }

    /** The first position above this one that a thread waits for. */
    private long lowestAbove(long position) {
        long lowest = Long.MAX_VALUE;
        for (Waiter each = waiters; each != null; each = each.next) {
            if (each.position > position) {
                lowest = Math.min(lowest, each.position);
            }
        }
        return lowest;
    }
}
