package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BindingCheck;
import dev.slipstream.bridge.provider.DeviceObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One run's state of an engine, and the runs that were prepared on it. */
final class CudaExecutionContext extends DeviceObject<CudaDevice> implements ExecutionContext {
    private final CudaEngine engine;
    private final EngineContext compiled;

    /** Takes over the compiled engine's context. */
    CudaExecutionContext(CudaEngine engine, EngineContext compiled) {
        super(engine.device());
        this.engine = engine;
        this.compiled = compiled;
    }

    @Override
    public CudaEngine engine() {
        return engine;
    }

    @Override
    public synchronized Bindings bind(Map<String, Tensor> tensors) {
        requireOpen();
        new BindingCheck(engine).check(tensors);
        Map<String, DeviceTensor> addresses = new LinkedHashMap<>();
        tensors.forEach((name, tensor) ->
            addresses.put(name, new DeviceTensor(CudaBuffer.address(tensor.slice()), tensor.type())));
        List<CudaBuffer> buffers =
            tensors.values().stream().map(tensor -> CudaBuffer.of(tensor.slice())).distinct().toList();
        device().calls().makeCurrent();
        return new CudaBindings(this, compiled.prepare(addresses), buffers);
    }

    @Override
    public void free() {
        device().closing(compiled::close);
    }

    @Override
    public String toString() {
        return "execution context of " + engine.name();
    }
}
