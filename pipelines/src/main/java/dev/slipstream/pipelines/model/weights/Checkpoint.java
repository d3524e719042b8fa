package dev.slipstream.pipelines.model.weights;

import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The weights of one component by diffusers' and transformers' names: safetensors beside a {@code config.json}, or
 * parts of a file that holds a whole model. Immutable; keeps no file open.
 *
 * @param source what messages call it: the component's folder, or the file
 * @param folder that has all files of the weights in it, however deep
 * @param weights where each tensor is, in the file's order
 */
public record Checkpoint(Path source, Path folder, Map<String, StoredWeight> weights) {
    public Checkpoint {
        weights = Collections.unmodifiableMap(new LinkedHashMap<>(weights));
    }

    public Checkpoint(Path folder, Map<String, StoredWeight> weights) {
        this(folder, folder, weights);
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

    /**
     * The weights of two components as those of one, in the deepest folder that has both.
     *
     * @throws ModelException if both have a tensor of one name, or they are on several drives
     */
    public Checkpoint with(Checkpoint other) {
        Map<String, StoredWeight> all = new LinkedHashMap<>(weights);
        other.weights.forEach((name, weight) -> {
            if (all.put(name, weight) != null) {
                throw new ModelException("both " + source + " and " + other.source + " have " + name
                    + ", so they are no adapter and the component that it is for");
            }
        });
        Path whole = folder.toAbsolutePath().normalize();
        while (whole != null && !other.folder.toAbsolutePath().normalize().startsWith(whole)) {
            whole = whole.getParent();
        }
        if (whole == null) {
            throw new ModelException(folder + " and " + other.folder + " are on several drives, where engines do not "
                + "find their weights; put one beside the other");
        }
        return new Checkpoint(source, whole, all);
    }

    /** Starts a graph over these weights. */
    public GraphBuilder graph() {
        return new GraphBuilder(source.toString(), folder, weights);
    }
}
