package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.Event;
import java.time.Duration;

/** What all events have in common: they refuse to tell a time that they do not have. */
public abstract class BaseEvent<D extends BaseDevice> extends DeviceObject<D> implements Event {
    private final boolean timed;

    protected BaseEvent(D device, boolean timed) {
        super(device);
        this.timed = timed;
    }

    /** Whether it knows when it was passed. */
    public final boolean isTimed() {
        return timed;
    }

    /** Whether it was ever put on a stream. */
    protected abstract boolean wasRecorded();

    /**
     * Waits until the stream has passed the event; an event that was never recorded counts as passed.
     *
     * @param timeoutNanos how long at most; 0 or less only asks, {@link Long#MAX_VALUE} waits as long as it takes
     * @return whether it was passed
     * @throws dev.slipstream.bridge.DeviceException if it was, and work before it had failed
     */
    protected abstract boolean awaitNanos(long timeoutNanos);

    /** {@link #nanos} of an event that has a time. */
    protected abstract long passedNanos();

    /** {@link #busyNanos} of an event that has a time. */
    protected abstract long passedBusyNanos();

    @Override
    public final boolean isDone() {
        requireOpen();
        return awaitNanos(0);
    }

    @Override
    public final boolean await(Duration timeout) {
        requireOpen();
        return awaitNanos(nanos(timeout));
    }

    private static long nanos(Duration timeout) {
        try {
            return timeout.toNanos();
        } catch (ArithmeticException moreThanTwoCenturies) {
            return timeout.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }

    @Override
    public final long nanos() {
        requirePassed();
        return passedNanos();
    }

    @Override
    public final long busyNanos() {
        requirePassed();
        return passedBusyNanos();
    }

    private void requirePassed() {
        requireOpen();
        if (!timed) {
            throw new IllegalStateException("this event has no time; make it with newTimedEvent");
        }
        if (!wasRecorded()) {
            throw new IllegalStateException("the event has no time yet: it was never recorded");
        }
        if (!awaitNanos(0)) {
            throw new IllegalStateException("the event has no time yet: the stream has not passed it");
        }
    }

    @Override
    public final String toString() {
        return timed ? "timed event" : "event";
    }
}
