package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.BaseBindings;
import dev.slipstream.bridge.provider.BaseContext;
import java.util.Map;

/** Lets one of its bindings run at a time: runs hold its monitor, so what they use is not freed meanwhile. */
final class CpuExecutionContext extends BaseContext<CpuDevice> {
    /** ONNX Runtime's Java interface takes byte buffers, which count in ints; it wants a little below the limit. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 64;

    private final CpuEngine engine;
    /** Guarded by this, as runs are. */
    private final Contention contention = new Contention();

    CpuExecutionContext(CpuEngine engine) {
        super(engine);
        this.engine = engine;
    }

    @Override
    protected void requireTakes(String tensor, TensorType type) {
        if (type.bytes() > MAX_BYTES) {
            throw new IllegalArgumentException("engine " + engine.name() + ": tensor '" + tensor + "' has "
                + type.bytes() + " bytes; ONNX Runtime's Java interface takes at most " + MAX_BYTES);
        }
    }

    /** All CPU devices have one memory. */
    @Override
    protected boolean readsFrom(Device other) {
        return other instanceof CpuDevice;
    }

    @Override
    protected BaseBindings makeBindings(Map<String, Tensor> tensors) {
        return new CpuBindings(this, engine, tensors);
    }

    /** Runs one of its bindings on the calling thread. */
    synchronized void run(CpuBindings which) throws OrtException {
        requireOpen();
        which.run(engine.session(contention), engine.runOptions());
    }

    @Override
    protected void freeContext() {
        // The session is the engine's, and a run of it keeps nothing.
        contention.close();
    }
}
