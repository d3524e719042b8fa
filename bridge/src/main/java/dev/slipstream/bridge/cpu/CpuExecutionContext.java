package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BindingCheck;
import dev.slipstream.bridge.provider.DeviceObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Keeps bindings, and lets one of them run at a time: whoever holds its monitor may use ONNX Runtime's objects, so they
 * are not freed under a run.
 */
final class CpuExecutionContext extends DeviceObject<CpuDevice> implements ExecutionContext {
    /** ONNX Runtime's Java interface takes byte buffers, which count in ints; it wants a little below the limit. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 64;

    private final CpuEngine engine;
    private final List<CpuBindings> bindings = new ArrayList<>();

    CpuExecutionContext(CpuEngine engine) {
        super(engine.device());
        this.engine = engine;
    }

    @Override
    public CpuEngine engine() {
        return engine;
    }

    @Override
    public synchronized Bindings bind(Map<String, Tensor> tensors) {
        requireOpen();
        engine.inputs().keySet().forEach(name -> requireSmall(name, tensors.get(name)));
        engine.outputs().keySet().forEach(name -> requireSmall(name, tensors.get(name)));
        new BindingCheck(engine).check(tensors);
        CpuBindings made = CpuBindings.make(this, tensors);
        bindings.add(made);
        return made;
    }

    private void requireSmall(String name, Tensor tensor) {
        if (tensor != null && tensor.type().bytes() > MAX_BYTES) {
            throw new IllegalArgumentException("engine " + engine.name() + ": tensor '" + name + "' has "
                + tensor.type().bytes() + " bytes; ONNX Runtime's Java interface takes at most " + MAX_BYTES);
        }
    }

    /** Runs one of its bindings on the calling thread. */
    synchronized void run(CpuBindings which) throws OrtException {
        requireOpen();
        which.runSession(engine.session());
    }

    @Override
    public synchronized void free() {
        bindings.forEach(CpuBindings::free);
        bindings.clear();
    }

    @Override
    public String toString() {
        return "execution context of " + engine.name();
    }
}
