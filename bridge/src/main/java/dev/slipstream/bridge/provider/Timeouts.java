package dev.slipstream.bridge.provider;

import java.time.Duration;

/** Timeouts as nanoseconds. */
public final class Timeouts {
    /** Longer than anybody waits. */
    public static final long FOREVER = Long.MAX_VALUE;

    private Timeouts() {
    }

    /** Nanoseconds of a timeout: {@link #FOREVER} for one of more than two centuries, 0 or less for none. */
    public static long nanos(Duration timeout) {
        try {
            return timeout.toNanos();
        } catch (ArithmeticException tooLong) {
            return timeout.isNegative() ? 0 : FOREVER;
        }
    }
}
