package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.DeviceObject;
import java.util.Map;

/** An engine that the compiler made; TensorRT's, as a rule. */
final class CudaEngine extends DeviceObject<CudaDevice> implements Engine {
    private final String name;
    private final CompiledEngine compiled;

    /** Takes over the compiled engine. */
    CudaEngine(CudaDevice device, String name, CompiledEngine compiled) {
        super(device);
        this.name = name;
        this.compiled = compiled;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Map<String, TensorType> inputs() {
        return compiled.inputs();
    }

    @Override
    public Map<String, TensorType> outputs() {
        return compiled.outputs();
    }

    long alignment() {
        return compiled.alignment();
    }

    @Override
    public ExecutionContext newContext() {
        requireOpen();
        return device().openObjects().add(
            new CudaExecutionContext(this, device().makeOutside(compiled::newContext)));
    }

    @Override
    public void free() {
        device().openObjects().closeLeaked(this + " of " + device().name(),
            object -> object instanceof CudaExecutionContext context && context.engine() == this);
        device().closing(compiled::close);
    }

    @Override
    public String toString() {
        return "engine " + name;
    }
}
