package dev.slipstream.pipelines.model;

import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The weights of one component as diffusers and transformers store them: safetensors beside a {@code config.json}.
 * Immutable; keeps no file open.
 *
 * @param folder the component's folder
 * @param weights where each tensor lies, in the file's order
 */
public record Checkpoint(Path folder, Map<String, StoredWeight> weights) {
    public Checkpoint {
        weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    }

    /**
     * The weights of a component's folder, in one file or several.
     *
     * @throws ModelException as {@link ComponentWeights#open(Path)}
     */
    public static Checkpoint open(Path folder) {
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        try (ComponentWeights files = ComponentWeights.open(folder)) {
            files.tensors().forEach((name, tensor) -> weights.put(name, new StoredWeight(
                files.file(name), files.offset(name), tensor.type().dataType(), tensor.shape())));
        }
        return new Checkpoint(folder, weights);
    }

    /** Starts a graph over these weights. */
    public GraphBuilder graph() {
        return new GraphBuilder(folder.toString(), folder, weights);
    }
}
