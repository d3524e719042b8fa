package dev.slipstream.bridge;

import java.time.Duration;

/** An event that fails where its stream was poisoned by an injected failure when it was recorded. */
final class FaultyEvent implements Event {
    private final Event real;
    private final FaultyDevice device;
    private volatile DeviceException failure;

    FaultyEvent(Event real, FaultyDevice device) {
        this.real = real;
        this.device = device;
    }

    Event real() {
        return real;
    }

    DeviceException failure() {
        return failure;
    }

    /** Recorded on a stream that is poisoned by this failure, or is well (null). */
    void recorded(DeviceException poison) {
        failure = poison;
    }

    @Override
    public boolean isDone() {
        return real.isDone() && well();
    }

    @Override
    public boolean await(Duration timeout) {
        device.faults().next(Faults.Call.EVENT_AWAIT, device.name());
        return real.await(timeout) && well();
    }

    @Override
    public long nanos() {
        well();
        return real.nanos();
    }

    @Override
    public long busyNanos() {
        well();
        return real.busyNanos();
    }

    private boolean well() {
        DeviceException why = failure;
        if (why != null) {
            throw new DeviceException(why.getMessage(), why);
        }
        return true;
    }

    @Override
    public void close() {
        real.close();
    }
}
