package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** Writes a component with random weights. */
public final class RandomCheckpoint {
    private final Map<String, StoredTensor> weights = new LinkedHashMap<>();
    private final Random random = new Random(5);
    private String prefix = "";

    /** What comes before the names of the weights that follow. */
    public RandomCheckpoint at(String module) {
        prefix = module.isEmpty() ? "" : module + ".";
        return this;
    }

    public RandomCheckpoint tensor(String name, long... shape) {
        float[] values = new float[(int) Shape.of(shape).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        weights.put(prefix + name, StoredTensor.of(Shape.of(shape), values));
        return this;
    }

    /** Weight and bias of a linear layer, a convolution or (without inputs) a norm. */
    public RandomCheckpoint layer(String name, long outputs, long... inputs) {
        long[] shape = new long[inputs.length + 1];
        shape[0] = outputs;
        System.arraycopy(inputs, 0, shape, 1, inputs.length);
        return tensor(name + ".weight", shape).tensor(name + ".bias", outputs);
    }

    public float[] values(String name) {
        return weights.get(name).toFloats();
    }

    public Checkpoint write(Path folder) {
        SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of());
        return Checkpoint.open(folder);
    }

    public static ConfigFile config(Path folder, String json) throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, json);
        return ConfigFile.read(file);
    }
}
