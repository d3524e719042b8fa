package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Tensor;
import dev.slipstream.bridge.provider.BaseBindings;
import dev.slipstream.bridge.provider.BaseContext;
import java.util.LinkedHashMap;
import java.util.Map;

/** One run's state of an engine. */
final class CudaExecutionContext extends BaseContext<CudaDevice> {
    private final CudaEngine engine;
    private final EngineContext compiled;

    /** Takes over the compiled engine's context. */
    CudaExecutionContext(CudaEngine engine, EngineContext compiled) {
        super(engine);
        this.engine = engine;
        this.compiled = compiled;
    }

    @Override
    protected BaseBindings makeBindings(Map<String, Tensor> tensors) {
        AlignedCopies copies = new AlignedCopies(device(), engine.alignment());
        try {
            Map<String, DeviceTensor> addresses = new LinkedHashMap<>();
            tensors.forEach((name, tensor) -> addresses.put(name, copies.place(
                new DeviceTensor(CudaBuffer.address(tensor.slice()), tensor.type()),
                engine.inputs().containsKey(name))));
            device().calls().makeCurrent();
            return new CudaBindings(this, tensors, compiled.prepare(addresses), copies);
        } catch (RuntimeException failure) {
            copies.freeAfter(failure);
            throw failure;
        }
    }

    @Override
    protected void freeContext() {
        device().closing(compiled::close);
    }
}
