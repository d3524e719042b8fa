package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;

/** The weights of a component, random, but so that numbers stay about as large as they come in. */
public final class RandomCheckpoint {
    private final Map<String, StoredTensor> weights = new LinkedHashMap<>();
    private final Random random = new Random(5);

    public RandomCheckpoint(Map<String, Shape> shapes) {
        shapes.forEach((name, shape) -> with(name, 1, shape));
    }

    /** Adds or replaces a weight. @param strength how large what comes out of its layer is; 1 as usual */
    public RandomCheckpoint with(String name, double strength, Shape shape) {
        boolean matrix = shape.rank() > 1;
        double mean = matrix || name.endsWith(".bias") ? 0 : 1;
        double deviation = matrix ? strength * Math.sqrt((double) shape.dim(0) / shape.elements()) : 0.1;
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        weights.put(name, StoredTensor.of(shape, values));
        return this;
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
