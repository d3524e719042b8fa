package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.provider.BaseContext;
import dev.slipstream.bridge.provider.BaseEngine;

/** An engine that the compiler made; TensorRT's, as a rule. */
final class CudaEngine extends BaseEngine<CudaDevice> {
    private final CompiledEngine compiled;

    /** Takes over the compiled engine. */
    CudaEngine(CudaDevice device, String name, CompiledEngine compiled) {
        super(device, name, compiled.inputs(), compiled.outputs());
        this.compiled = compiled;
    }

    long alignment() {
        return compiled.alignment();
    }

    @Override
    protected BaseContext<CudaDevice> makeContext() {
        return new CudaExecutionContext(this, device().makeOutside(compiled::newContext));
    }

    @Override
    protected void freeEngine() {
        device().closing(compiled::close);
    }
}
