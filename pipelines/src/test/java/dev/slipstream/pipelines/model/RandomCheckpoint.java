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
    private double strength = 1;

    /** What comes before the names of the weights that follow. */
    public RandomCheckpoint at(String module) {
        prefix = module.isEmpty() ? "" : module + ".";
        return this;
    }

    /** How large what comes out of the layers that follow is, compared with what goes in. */
    public RandomCheckpoint strength(double factor) {
        strength = factor;
        return this;
    }

    /** A weight of a layer, or of a table. */
    public RandomCheckpoint tensor(String name, long... shape) {
        long elements = Shape.of(shape).elements();
        return tensor(name, 0, strength * Math.sqrt((double) shape[0] / elements), shape);
    }

    private RandomCheckpoint tensor(String name, double mean, double deviation, long... shape) {
        float[] values = new float[(int) Shape.of(shape).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        weights.put(prefix + name, StoredTensor.of(Shape.of(shape), values));
        return this;
    }

    /** Weight and bias of a linear layer, a convolution or (without inputs) a norm. */
    public RandomCheckpoint layer(String name, long outputs, long... inputs) {
        long[] shape = new long[inputs.length + 1];
        shape[0] = outputs;
        System.arraycopy(inputs, 0, shape, 1, inputs.length);
        if (inputs.length == 0) {
            tensor(name + ".weight", 1, 0.1, outputs);
        } else {
            tensor(name + ".weight", shape);
        }
        return tensor(name + ".bias", 0, 0.1, outputs);
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
