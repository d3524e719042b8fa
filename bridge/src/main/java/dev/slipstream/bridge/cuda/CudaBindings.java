package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.cuda.driver.Handle.StreamHandle;
import dev.slipstream.bridge.provider.BaseBindings;
import java.util.Map;

/** A prepared run, and the copies that bring its tensors to where the engine takes them. */
final class CudaBindings extends BaseBindings {
    private final CudaExecutionContext context;
    private final Launch launch;
    private final AlignedCopies copies;

    CudaBindings(CudaExecutionContext context, Map<String, Tensor> tensors, Launch launch, AlignedCopies copies) {
        super(context, tensors.values());
        this.context = context;
        this.launch = launch;
        this.copies = copies;
    }

    /**
     * Queues the run.
     *
     * @param captured whether the stream is being captured
     * @throws dev.slipstream.bridge.DeviceException if it is refused
     */
    void enqueue(StreamHandle stream, boolean captured) {
        copies.copyInputs(stream);
        context.device().calls().makeCurrent();
        if (captured) {
            launch.capture(stream.pointer());
        } else {
            launch.enqueue(stream.pointer());
        }
        copies.copyOutputs(stream);
    }

    @Override
    protected void free() {
        copies.free();
    }
}
