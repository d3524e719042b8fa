package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.cuda.driver.Handle.EventHandle;
import dev.slipstream.bridge.cuda.driver.Handle.GraphHandle;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.BaseGraph;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.bridge.provider.Failures;

/**
 * Whether a stream's work is being captured in a graph, and what went wrong with that. One thread uses the stream;
 * others only call {@link #makeWait}, for which beginning, ending and the end of the stream are under one lock: an
 * event that was recorded in a capture would draw the stream that waits for it into the graph.
 */
final class Capture {
    private final CudaStream stream;
    private final DeviceCalls calls;
    private DeviceException spoilt;

    // Guarded by this. An event behind all that was queued before the capture began; null until there is a capture.
    private EventHandle before;
    private boolean running;
    private boolean over;

    Capture(CudaStream stream) {
        this.stream = stream;
        this.calls = stream.device().calls();
    }

    synchronized void begin() {
        if (before == null) {
            before = calls.newEvent(false);
        }
        calls.record(before, stream.handle());
        calls.beginCapture(stream.handle());
        spoilt = null;
        running = true;
    }

    /** Makes another stream wait for what this one was given; what is being captured is not that. */
    synchronized void makeWait(StreamHandle waiting, EventHandle event) {
        if (running) {
            calls.await(waiting, before);
        } else if (!over) {
            calls.record(event, stream.handle());
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
    synchronized GraphHandle end() {
        DeviceException why = spoilt;
        try {
            GraphHandle graph = calls.endCapture(stream.handle());
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
            DeviceException thrown = Failures.copyForCaller(why);
            thrown.addSuppressed(second);
            throw thrown;
        } finally {
            running = false;
        }
        throw Failures.copyForCaller(why);
    }

    /** Ends a capture whose graph is not wanted. */
    synchronized void drop() {
        if (running) {
            try {
                calls.destroyGraph(calls.endCapture(stream.handle()));
            } catch (DeviceException useless) {
                // What cannot be ended ends with the stream.
            } finally {
                running = false;
            }
        }
    }

    /** From now on no other stream waits for this one. @param last what becomes of the stream */
    synchronized void retire(Runnable last) {
        over = true;
        try (Closer both = new Closer()) {
            both.own(last::run);
            if (before != null) {
                EventHandle event = before;
                before = null;
                both.own(() -> calls.destroyEvent(event));
            }
        }
    }

    /** A graph that was captured and is ready to be launched. */
    static final class Graph extends BaseGraph<CudaDevice> {
        private final GraphHandle handle;

        /** Takes over the graph. */
        Graph(CudaDevice device, GraphHandle handle) {
            super(device);
            this.handle = handle;
        }

        GraphHandle handle() {
            return handle;
        }

        @Override
        protected void free() {
            device().calls().destroyGraph(handle);
        }
    }
}
