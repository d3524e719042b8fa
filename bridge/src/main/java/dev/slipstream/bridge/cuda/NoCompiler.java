package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.EngineSource;

/** Placeholder until TensorRT is merged. */
final class NoCompiler implements EngineCompiler {
    @Override
    public Availability availability() {
        return new Availability.Unavailable("no TensorRT", "install TensorRT");
    }

    @Override
    public CompiledEngine compile(EngineTarget target, EngineSource source) {
        throw new IllegalStateException();
    }
}
