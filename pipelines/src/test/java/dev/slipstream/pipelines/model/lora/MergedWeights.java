package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.WeightStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;

/** Writes a denoiser of a few weights and an adapter, and merges them. */
record MergedWeights(Path folder) {
    static StoredTensor random(Random random, long... dims) {
        float[] values = new float[(int) Shape.of(dims).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return StoredTensor.of(Shape.of(dims), values);
    }

    static StoredTensor ones(long... dims) {
        return filled(1, dims);
    }

    static StoredTensor filled(float value, long... dims) {
        float[] values = new float[(int) Shape.of(dims).elements()];
        Arrays.fill(values, value);
        return StoredTensor.of(Shape.of(dims), values);
    }

    Lora lora(Map<String, StoredTensor> tensors) {
        Path file = folder.resolve("adapter.safetensors");
        SafetensorsWriter.write(file, tensors, Map.of());
        return Lora.read(file);
    }

    /** All weights of the denoiser after merging, by name. */
    Map<String, float[]> merged(Map<String, StoredTensor> base, Loras loras) {
        try {
            Path unet = Files.createDirectories(folder.resolve("unet"));
            SafetensorsWriter.write(unet.resolve("diffusion_pytorch_model.safetensors"), base, Map.of());
            WeightStore store = new WeightStore(folder.resolve("store"), 0);
            try (OpenLoras open = loras.storedIn(store).open()) {
                Checkpoint checkpoint = open.open(Component.DENOISER, unet);
                Map<String, float[]> values = new HashMap<>();
                checkpoint.weights().forEach((name, weight) -> values.put(name, values(weight)));
                return values;
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As an engine finds it: by its place in the file, whatever the file calls it. */
    static float[] values(StoredWeight weight) {
        try (SafetensorsFile file = SafetensorsFile.open(weight.file())) {
            return file.tensors().entrySet().stream()
                .filter(entry -> file.offset(entry.getKey()) == weight.offset()).findFirst().orElseThrow()
                .getValue().toFloats();
        }
    }
}
