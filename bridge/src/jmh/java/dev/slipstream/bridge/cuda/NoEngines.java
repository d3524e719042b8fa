package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.EngineSource;

/** For benchmarks of the driver alone. */
final class NoEngines implements EngineCompiler {
    @Override
    public Availability availability() {
        return new Availability.Available("no engines");
    }

    @Override
    public CompiledEngine compile(EngineTarget target, EngineSource source) {
        throw new UnsupportedOperationException("no engines");
    }
}
