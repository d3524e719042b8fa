package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.provider.Failures;
import dev.slipstream.bridge.provider.Owned;
import java.lang.foreign.MemorySegment;

/**
 * Whether a stream's work is being captured in a graph, and what went wrong with that. One thread uses the stream;
 * others only call {@link #holdBack}, for which beginning, ending and the end of the stream are under one lock: an
 * event that was recorded in a capture would draw the stream that waits for it into the graph.
 */
final class Capture {
    private final DeviceCalls calls;
    private volatile boolean running;
    private DeviceException spoilt;

    // Guarded by this. An event behind all that was queued before the capture began; null until there is a capture.
    private MemorySegment before;
    private boolean over;

    Capture(CudaDevice device) {
        this.calls = device.calls();
    }

    boolean isRunning() {
        return running;
    }

    /** @throws IllegalStateException if something is being captured */
    void requireNone(CudaStream stream) {
        if (running) {
            throw new IllegalStateException(stream + " of " + stream.device().name()
                + " is recording, and takes only what can be recorded");
        }
    }

    synchronized void begin(MemorySegment stream) {
        if (before == null) {
            before = calls.newEvent(false);
        }
        calls.record(before, stream);
        calls.beginCapture(stream);
        spoilt = null;
        running = true;
    }

    /** Makes another stream wait for what this one was given; what is being captured is not that. */
    synchronized void holdBack(MemorySegment stream, MemorySegment waiting, MemorySegment event) {
        if (running) {
            calls.await(waiting, before);
        } else if (!over) {
            calls.record(event, stream);
            calls.await(waiting, event);
        }
    }

    /** Notes that a call failed; the graph would lack it. */
    void spoil(DeviceException why) {
        spoilt = spoilt == null ? why : spoilt;
    }

    boolean isSpoilt() {
        return spoilt != null;
    }

    /** The captured graph, which the caller owns. Whatever happens, the capture is over. */
    synchronized MemorySegment end(CudaStream stream, MemorySegment handle) {
        if (!running) {
            throw new IllegalStateException(stream + " of " + stream.device().name() + " does not record");
        }
        DeviceException why = spoilt;
        try {
            MemorySegment graph = calls.endCapture(handle);
            if (why == null) {
                return graph;
            }
            calls.destroyGraph(graph);
        } catch (DeviceLostException lost) {
            throw why == null ? lost : new DeviceLostException(why.getMessage() + "; " + lost.getMessage(), why);
        } catch (DeviceException second) {
            if (why == null) {
                throw second;
            }
            DeviceException thrown = Failures.thrown(why);
            thrown.addSuppressed(second);
            throw thrown;
        } finally {
            running = false;
        }
        throw Failures.thrown(why);
    }

    /** Ends a capture that nobody wants any more. */
    synchronized void drop(MemorySegment handle) {
        if (running) {
            try {
                calls.destroyGraph(calls.endCapture(handle));
            } catch (DeviceException useless) {
                // What cannot be ended ends with the stream.
            } finally {
                running = false;
            }
        }
    }

    /** From now on nobody waits for the stream. @param last what becomes of the stream */
    synchronized void retire(Runnable last) {
        over = true;
        try (Owned both = new Owned()) {
            both.own(last::run);
            if (before != null) {
                MemorySegment event = before;
                before = null;
                both.own(() -> calls.destroyEvent(event));
            }
        }
    }
}
