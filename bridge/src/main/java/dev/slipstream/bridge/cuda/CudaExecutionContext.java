package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BindingCheck;
import dev.slipstream.bridge.provider.DeviceObject;
import dev.slipstream.bridge.provider.Owned;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One run's state of an engine, and the runs that were prepared on it. */
final class CudaExecutionContext extends DeviceObject<CudaDevice> implements ExecutionContext {
    private final CudaEngine engine;
    private final EngineContext compiled;
    private final List<CudaBindings> bindings = new ArrayList<>();

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
        List<CudaBuffer> buffers =
            tensors.values().stream().map(tensor -> CudaBuffer.of(tensor.slice())).distinct().toList();
        Realigned realigned = new Realigned(device(), engine.alignment());
        try {
            Map<String, DeviceTensor> addresses = new LinkedHashMap<>();
            tensors.forEach((name, tensor) -> addresses.put(name, realigned.place(
                new DeviceTensor(CudaBuffer.address(tensor.slice()), tensor.type()),
                engine.inputs().containsKey(name))));
            device().calls().makeCurrent();
            CudaBindings made = new CudaBindings(this, compiled.prepare(addresses), realigned, buffers);
            bindings.add(made);
            return made;
        } catch (RuntimeException failure) {
            realigned.freeAfter(failure);
            throw failure;
        }
    }

    @Override
    public void free() {
        try (Owned all = new Owned()) {
            bindings.forEach(each -> all.own(each::free));
            all.own(() -> device().closing(compiled::close));
        }
    }

    @Override
    public String toString() {
        return "execution context of " + engine.name();
    }
}
