package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;

/**
 * Makes engines for CUDA devices: TensorRT, found by {@link java.util.ServiceLoader}, or in tests a stand-in. Called
 * with the device's primary context current on the calling thread.
 */
public interface EngineCompiler {
    /** Whether engines can be made here, as far as that is known without a GPU. Never throws. */
    Availability availability();

    /** @throws EngineBuildException naming source and reason */
    CompiledEngine compile(EngineTarget target, EngineSource source);
}
