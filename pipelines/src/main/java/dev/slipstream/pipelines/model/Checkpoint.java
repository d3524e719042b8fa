package dev.slipstream.pipelines.model;

import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The weights of one component as diffusers and transformers store them: safetensors beside a {@code config.json}.
 * Immutable; keeps no file open.
 *
 * @param folder the component's folder
 * @param weights where each tensor lies, in the file's order
 */
public record Checkpoint(Path folder, Map<String, StoredWeight> weights) {
    private static final List<String> NAMES = List.of("diffusion_pytorch_model.safetensors", "model.safetensors",
        "diffusion_pytorch_model.fp16.safetensors", "model.fp16.safetensors");

    public Checkpoint {
        weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    }

    /** Whether a component's folder has weights of this kind. */
    public static boolean isIn(Path folder) {
        return find(folder).isPresent();
    }

    /** @throws ModelException if the folder has no safetensors of a known name, or they are damaged */
    public static Checkpoint open(Path folder) {
        Path path = find(folder).orElseThrow(() -> new ModelException(folder + " has no " + NAMES.getFirst() + " or "
            + NAMES.get(1)));
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            file.tensors().forEach((name, tensor) -> weights.put(name,
                new StoredWeight(file.path(), file.offset(name), tensor.type().dataType(), tensor.shape())));
        }
        return new Checkpoint(folder, weights);
    }

    private static Optional<Path> find(Path folder) {
        return NAMES.stream().map(folder::resolve).filter(Files::isRegularFile).findFirst();
    }

    /** Starts a graph over these weights. */
    public GraphBuilder graph() {
        return new GraphBuilder(folder.toString(), folder, weights);
    }
}
