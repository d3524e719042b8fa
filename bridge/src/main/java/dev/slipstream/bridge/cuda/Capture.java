package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.cuda.driver.DeviceCalls;
import dev.slipstream.bridge.provider.Failures;
import java.lang.foreign.MemorySegment;

/** Whether a stream's work is being captured in a graph, and what went wrong with that. */
final class Capture {
    private final DeviceCalls calls;
    private volatile boolean running;
    private DeviceException spoilt;

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

    void begin(MemorySegment stream) {
        calls.beginCapture(stream);
        spoilt = null;
        running = true;
    }

    /** Notes that a call failed; the graph would lack it. */
    void spoil(DeviceException why) {
        spoilt = spoilt == null ? why : spoilt;
    }

    boolean isSpoilt() {
        return spoilt != null;
    }

    /** The captured graph, which the caller owns. */
    MemorySegment end(CudaStream stream, MemorySegment handle) {
        if (!running) {
            throw new IllegalStateException(stream + " of " + stream.device().name() + " does not record");
        }
        running = false;
        DeviceException why = spoilt;
        if (why == null) {
            return calls.endCapture(handle);
        }
        DeviceException thrown = Failures.thrown(why);
        try {
            calls.destroyGraph(calls.endCapture(handle));
        } catch (DeviceLostException lost) {
            throw new DeviceLostException(why.getMessage() + "; " + lost.getMessage(), why);
        } catch (DeviceException second) {
            thrown.addSuppressed(second);
        }
        throw thrown;
    }

    /** Ends a capture that nobody wants any more. */
    void drop(MemorySegment handle) {
        if (running) {
            running = false;
            try {
                calls.destroyGraph(calls.endCapture(handle));
            } catch (DeviceException useless) {
                // What cannot be ended ends with the stream.
            }
        }
    }
}
