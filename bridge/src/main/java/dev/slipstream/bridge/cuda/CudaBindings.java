package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Bindings;
import java.util.List;

/** A prepared run, and the buffers that it touches. */
final class CudaBindings implements Bindings {
    private final CudaExecutionContext context;
    private final Launch launch;
    private final List<CudaBuffer> buffers;

    CudaBindings(CudaExecutionContext context, Launch launch, List<CudaBuffer> buffers) {
        this.context = context;
        this.launch = launch;
        this.buffers = buffers;
    }

    @Override
    public CudaExecutionContext context() {
        return context;
    }

    Launch launch() {
        return launch;
    }

    void requireOpen() {
        context.requireOpen();
        for (int i = 0; i < buffers.size(); i++) { // no iterator, which would be an allocation
            buffers.get(i).requireOpen();
        }
    }
}
