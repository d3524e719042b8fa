package dev.slipstream.bridge.cuda;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Waiting for the driver by asking it again and again: a wait inside the driver could not be ended when a device is
 * given up. At first the thread spins, as most waits are short or nearly over; then it sleeps for an eighth of the time
 * waited so far, and never so long that a finished step would be noticed late.
 */
final class Backoff {
    private static final long SPIN_NANOS = TimeUnit.MICROSECONDS.toNanos(20);
    private static final long LONGEST_NANOS = TimeUnit.MICROSECONDS.toNanos(50);

    private Backoff() {
    }

    /** One pause, when a wait has already lasted so long. An interrupt makes it short and stays set. */
    static void after(long waitedNanos) {
        if (waitedNanos < SPIN_NANOS) {
            Thread.onSpinWait();
        } else {
            LockSupport.parkNanos(Math.min(LONGEST_NANOS, waitedNanos / 8));
        }
    }

    static void until(BooleanSupplier done) {
        long start = System.nanoTime();
        while (!done.getAsBoolean()) {
            after(System.nanoTime() - start);
        }
    }
}
