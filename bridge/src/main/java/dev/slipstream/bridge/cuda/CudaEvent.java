package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.provider.DeviceObject;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.bridge.provider.Timeouts;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * An event of the driver. One that is recorded on a stream of another device gets a second handle, in that device's
 * context, as the driver records only events of the stream's own context.
 */
final class CudaEvent extends DeviceObject<CudaDevice> implements Event {
    private final boolean timed;
    private final MemorySegment handle;

    // Guarded by this. Where the event was put last (null: nowhere yet), and the failure of the stream before that.
    private CudaDevice place;
    private MemorySegment placed;
    private DeviceClock.Anchor anchor;
    private DeviceException failure;

    // Guarded by this: the handle in another device's context.
    private CudaDevice elsewhere;
    private MemorySegment handleElsewhere;

    CudaEvent(CudaDevice device, boolean timed) {
        super(device);
        this.timed = timed;
        this.handle = device.calls().newEvent(timed);
    }

    static CudaEvent of(Event event) {
        if (event instanceof CudaEvent known) {
            known.requireOpen();
            return known;
        }
        throw new IllegalArgumentException(event + " is no event of a cuda device");
    }

    /** Puts the event at the end of a stream of {@code device}. @param before the failure that poisons the stream */
    synchronized void put(CudaDevice on, MemorySegment stream, DeviceException before) {
        MemorySegment here = on == device() ? handle : handleOn(on);
        if (timed) {
            anchor = on.clock().anchor();
        }
        on.calls().record(here, stream);
        place = on;
        placed = here;
        failure = before;
    }

    /** Notes that the event could not be put anywhere: whoever waits for it fails too. */
    synchronized void fail(CudaDevice on, DeviceException why) {
        place = on;
        placed = null;
        failure = why;
    }

    private MemorySegment handleOn(CudaDevice other) {
        if (elsewhere != other) {
            forgetElsewhere();
            handleElsewhere = other.calls().newEvent(timed);
            elsewhere = other;
        }
        return handleElsewhere;
    }

    private void forgetElsewhere() {
        if (elsewhere != null) {
            CudaDevice owner = elsewhere;
            elsewhere = null;
            owner.calls().destroyEvent(handleElsewhere);
        }
    }

    /** Makes a stream of {@code device} wait for the event. Returns the failure before it, or null. */
    synchronized DeviceException holdBack(CudaDevice device, MemorySegment stream) {
        if (placed != null) {
            device.calls().await(stream, placed);
        }
        return failure;
    }

    /** The device on one of whose streams the event was put last, or null. */
    synchronized CudaDevice place() {
        return place;
    }

    @Override
    public boolean isDone() {
        requireOpen();
        return poll();
    }

    /** Whether the event was passed. @throws DeviceException if it was, and work before it had failed */
    private synchronized boolean poll() {
        if (place == null) {
            return true;
        }
        if (placed != null && !place.calls().isDone(placed)) {
            return false;
        }
        if (failure != null) {
            throw Failures.thrown(failure);
        }
        return true;
    }

    @Override
    public boolean await(Duration timeout) {
        requireOpen();
        long limit = Timeouts.nanos(timeout);
        long start = System.nanoTime();
        while (!poll()) {
            long waited = System.nanoTime() - start;
            if (waited >= limit) {
                return false;
            }
            Pause.after(waited);
            device().requireUsable();
        }
        return true;
    }

    @Override
    public long nanos() {
        requireOpen();
        if (!timed) {
            throw new IllegalStateException("this event has no time; make it with newTimedEvent");
        }
        synchronized (this) {
            boolean done = poll();
            if (place == null || !done) {
                throw new IllegalStateException("the event has no time yet: "
                    + (place == null ? "it was never recorded" : "the stream has not passed it"));
            }
            return place.clock().nanos(placed, anchor);
        }
    }

    /** A GPU does not tell the time that others took from it. */
    @Override
    public long busyNanos() {
        return nanos();
    }

    @Override
    public synchronized void free() {
        try {
            forgetElsewhere();
        } finally {
            device().calls().destroyEvent(handle);
        }
    }

    @Override
    public String toString() {
        return timed ? "timed event" : "event";
    }
}
