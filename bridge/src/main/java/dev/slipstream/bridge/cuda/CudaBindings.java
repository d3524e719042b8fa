package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Bindings;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A prepared run, and the buffers that it touches. */
final class CudaBindings implements Bindings {
    private final CudaExecutionContext context;
    private final Launch launch;
    private final Realigned realigned;
    private final List<CudaBuffer> buffers;

    CudaBindings(CudaExecutionContext context, Launch launch, Realigned realigned, List<CudaBuffer> buffers) {
        this.context = context;
        this.launch = launch;
        this.realigned = realigned;
        this.buffers = buffers;
    }

    @Override
    public CudaExecutionContext context() {
        return context;
    }

    /**
     * Queues the run, in the device's context.
     *
     * @param recorded whether the stream is being captured
     * @throws dev.slipstream.bridge.DeviceException if it is refused
     */
    void enqueue(MemorySegment stream, boolean recorded) {
        realigned.copyInputs(stream);
        if (recorded) {
            launch.record(stream);
        } else {
            launch.enqueue(stream);
        }
        realigned.copyOutputs(stream);
    }

    void free() {
        realigned.free();
    }

    void requireOpen() {
        context.requireOpen();
        for (int i = 0; i < buffers.size(); i++) { // no iterator, which would be an allocation
            buffers.get(i).requireOpen();
        }
    }
}
