package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.BaseEvent;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.bridge.provider.Failures;
import java.util.IdentityHashMap;
import java.util.Map;

/**
 * An event of the driver. One that is recorded on a stream of another device gets one more handle, in that device's
 * context, as the driver records only events of the stream's own context. Handles stay until the event is closed, so
 * the driver can be asked about one without holding the monitor that the thread which records needs.
 */
final class CudaEvent extends BaseEvent<CudaDevice> {
    private final EventHandle handle;

    // Guarded by this. Where the event was put last (null: nowhere yet), and the failure of the stream before that.
    private CudaDevice place;
    private EventHandle placed;
    private DeviceClock.Anchor anchor;
    private DeviceException failure;

    // Guarded by this: the handles in other devices' contexts.
    private final Map<CudaDevice, EventHandle> elsewhere = new IdentityHashMap<>(0);

    CudaEvent(CudaDevice device, boolean timed) {
        super(device, timed);
        this.handle = device.calls().newEvent(timed);
    }

    /** Puts the event at the end of a stream of {@code device}. @param before the failure that poisons the stream */
    synchronized void put(CudaDevice on, StreamHandle stream, DeviceException before) {
        EventHandle here = on == device() ? handle : handleOn(on);
        if (isTimed()) {
            anchor = on.clock().anchor();
        }
        on.calls().record(here, stream);
        place = on;
        placed = here;
        failure = before;
    }

    /** Notes that the event could not be put anywhere: whatever waits for it fails too. */
    synchronized void fail(CudaDevice on, DeviceException why) {
        place = on;
        placed = null;
        failure = why;
    }

    private EventHandle handleOn(CudaDevice other) {
        EventHandle known = elsewhere.get(other);
        if (known == null) {
            known = other.calls().newEvent(isTimed());
            elsewhere.put(other, known);
        }
        return known;
    }

    /** Makes a stream of {@code device} wait for the event. Returns the failure before it, or null. */
    synchronized DeviceException makeWait(CudaDevice device, StreamHandle stream) {
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
    protected synchronized boolean wasRecorded() {
        return place != null;
    }

    @Override
    protected boolean awaitNanos(long timeoutNanos) {
        long start = System.nanoTime();
        while (!poll()) {
            long waited = System.nanoTime() - start;
            if (waited >= timeoutNanos) {
                return false;
            }
            Backoff.after(waited);
            device().health().requireUsable();
        }
        return true;
    }

    /** Whether the event was passed. @throws DeviceException if it was, and work before it had failed */
    private boolean poll() {
        CudaDevice where;
        EventHandle asked;
        DeviceException before;
        synchronized (this) {
            where = place;
            asked = placed;
            before = failure;
        }
        if (where == null) {
            return true;
        }
        if (asked != null && !where.calls().isDone(asked)) {
            return false;
        }
        if (before != null) {
            throw Failures.copyForCaller(before);
        }
        return true;
    }

    @Override
    protected synchronized long passedNanos() {
        return place.clock().nanos(placed, anchor);
    }

    /** A GPU does not tell the time that others took from it. */
    @Override
    protected long passedBusyNanos() {
        return passedNanos();
    }

    @Override
    protected synchronized void free() {
        try (Closer all = new Closer()) {
            all.own(() -> device().calls().destroyEvent(handle));
            elsewhere.forEach((owner, other) -> all.own(() -> owner.calls().destroyEvent(other)));
            elsewhere.clear();
        }
    }
}
