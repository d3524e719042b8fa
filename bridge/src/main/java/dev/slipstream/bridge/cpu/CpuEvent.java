package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.Failures;

/**
 * A position in the queue of a stream. Whether it was passed is the stream's knowledge, so putting the event elsewhere
 * does not disturb those who wait for where it was.
 */
final class CpuEvent extends BaseEvent<CpuDevice> {
    // Guarded by this; three fields that belong together. Progress is null until the first record.
    private Progress progress;
    private Outcome outcome;
    private long position;

    // Guarded by this: kept for the next to wait, so that waiting once a step allocates nothing.
    private Progress.Waiter spare;

    // Guarded by this.
    private long nanos;
    private long busyNanos;

    CpuEvent(CpuDevice device, boolean timed) {
        super(device, timed);
    }

    /** Puts the event where {@code progress} will be when it reaches {@code position}. */
    synchronized void put(Progress where, Outcome how, long atPosition) {
        progress = where;
        outcome = how;
        position = atPosition;
    }

    /** Hands over where the event is now; returns false if it was never recorded. */
    synchronized boolean copyTo(Command command) {
        command.progress = progress;
        command.outcome = outcome;
        command.position = position;
        return progress != null;
    }

    /** Notes when the stream passed the position; ignored if the event has been put elsewhere since. */
    synchronized void stamp(Progress where, long atPosition, long now, long busy) {
        if (progress == where && position == atPosition) {
            nanos = now;
            busyNanos = busy;
        }
    }

    @Override
    protected synchronized boolean wasRecorded() {
        return progress != null;
    }

    @Override
    protected boolean awaitNanos(long timeoutNanos) {
        Progress where;
        Outcome how;
        long until;
        synchronized (this) {
            where = progress;
            how = outcome;
            until = position;
        }
        if (where == null) {
            return true;
        }
        if (!where.hasReached(until) && !await(where, until, timeoutNanos)) {
            if (where.abandoned() != null) {
                throw Failures.copyForCaller(where.abandoned());
            }
            return false;
        }
        DeviceException failure = how.failureBefore(until);
        if (failure != null) {
            throw Failures.copyForCaller(failure);
        }
        return true;
    }

    private boolean await(Progress where, long until, long timeoutNanos) {
        Progress.Waiter waiter;
        synchronized (this) {
            waiter = spare == null ? new Progress.Waiter() : spare;
            spare = null;
        }
        boolean reached = where.await(until, timeoutNanos, waiter);
        synchronized (this) {
            spare = waiter;
        }
        return reached;
    }

    @Override
    protected synchronized long passedNanos() {
        return nanos;
    }

    @Override
    protected synchronized long passedBusyNanos() {
        return busyNanos;
    }

    @Override
    protected void free() {
        // An event is no more than a note; there is nothing to give back.
    }
}
