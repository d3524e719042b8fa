package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Engine;
import dev.slipstream.bridge.TensorType;
import java.util.Map;

/**
 * What a stage runs: an engine, which several stages may share, and the types of the tensors that this stage gives it.
 */
public record StageEngine(Engine engine, Map<String, TensorType> types) {
    public StageEngine {
        types = Map.copyOf(types);
    }
}
