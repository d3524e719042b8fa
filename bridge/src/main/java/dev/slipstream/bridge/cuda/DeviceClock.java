package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.Closer;
import java.util.concurrent.TimeUnit;

/**
 * Puts the times of one device's events on the host's clock, as CUDA only tells the time between two events of one
 * device, and as a float of milliseconds at that: after hours it would be good for nothing. So an anchor, an event
 * whose host time is known, is renewed every few seconds. Any thread may use it.
 */
final class DeviceClock implements AutoCloseable {
    /** A float of milliseconds resolves half a microsecond up to here. */
    private static final long RENEW_NANOS = TimeUnit.SECONDS.toNanos(4);

    /** A point that host and device agree on. */
    record Anchor(EventHandle event, long nanos) {
    }

    private final DeviceCalls calls;
    private final Closer owned = new Closer();
    private final StreamHandle stream;
    private Anchor anchor;

    DeviceClock(DeviceCalls calls) {
        this.calls = calls;
        StreamHandle made = calls.newStream();
        owned.own(() -> calls.destroyStream(made));
        stream = made;
    }

    /** The anchor for events that are recorded now. */
    synchronized Anchor anchor() {
        if (anchor == null || System.nanoTime() - anchor.nanos > RENEW_NANOS) {
            EventHandle event = calls.newEvent(true);
            owned.own(() -> calls.destroyEvent(event));
            calls.record(event, stream);
            Backoff.until(() -> calls.isDone(event));
            anchor = new Anchor(event, System.nanoTime());
        }
        return anchor;
    }

    /** When an event was passed, on the clock of {@link System#nanoTime}. */
    long nanos(EventHandle event, Anchor since) {
        return since.nanos + Math.round(1e6 * calls.elapsed(since.event, event));
    }

    @Override
    public void close() {
        owned.close();
    }
}
