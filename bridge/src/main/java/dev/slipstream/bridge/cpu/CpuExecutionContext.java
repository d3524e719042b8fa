package dev.slipstream.bridge.cpu;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Keeps bindings, and lets one of them run at a time: whoever holds its monitor may use ONNX Runtime's objects, so they
 * are not freed under a run.
 */
final class CpuExecutionContext extends DeviceObject implements ExecutionContext {
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
        new BindingCheck(engine).check(tensors);
        CpuBindings made = CpuBindings.make(this, tensors);
        bindings.add(made);
        return made;
    }

    /** Runs one of its bindings on the calling thread. */
    synchronized void run(CpuBindings which) throws OrtException {
        requireOpen();
        which.runSession(engine.session());
    }

    @Override
    synchronized void free() {
        bindings.forEach(CpuBindings::free);
        bindings.clear();
    }

    @Override
    public String toString() {
        return "execution context of " + engine.name();
    }
}
