package dev.slipstream.pipelines.model.unet;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;

/** Weights made from their names, as {@code unet_cases.py} makes them. */
final class FormulaCheckpoint {
    private FormulaCheckpoint() {
    }

    /** All weights that a configuration asks for, in a folder. */
    static Checkpoint write(ConfigFile config, Path folder) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        UNet.weights(config).forEach((name, shape) -> tensors.put(name, StoredTensor.of(shape, weight(name, shape))));
        SafetensorsWriter.write(folder.resolve("diffusion_pytorch_model.safetensors"), tensors, Map.of());
        return Checkpoint.open(folder);
    }

    /** An input of the network, even in (-1.5, 1.5). */
    static float[] input(String name, Shape shape) {
        double[] numbers = numbers("input." + name, shape);
        float[] values = new float[numbers.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (numbers[i] * 3);
        }
        return values;
    }

    private static float[] weight(String name, Shape shape) {
        double[] numbers = numbers(name, shape);
        float[] values = new float[numbers.length];
        double spread = Math.sqrt(12.0 / ((double) shape.elements() / shape.dim(0)));
        for (int i = 0; i < values.length; i++) {
            double number = numbers[i];
            if (shape.rank() == 1) {
                values[i] = (float) (name.endsWith("bias") ? 0.2 * number : 1 + 0.4 * number);
            } else {
                values[i] = (float) (number * spread);
            }
        }
        return values;
    }

    /** Even in (-0.5, 0.5), from a hash of name and index. */
    private static double[] numbers(String name, Shape shape) {
        CRC32 crc = new CRC32();
        crc.update(name.getBytes(StandardCharsets.UTF_8));
        double[] numbers = new double[Math.toIntExact(shape.elements())];
        for (int i = 0; i < numbers.length; i++) {
            int x = (int) (i * 0x9E3779B9L + crc.getValue());
            x ^= x >>> 16;
            x *= 0x85EBCA6B;
            x ^= x >>> 13;
            x *= 0xC2B2AE35;
            x ^= x >>> 16;
            numbers[i] = Integer.toUnsignedLong(x) / 4294967296.0 - 0.5;
        }
        return numbers;
    }
}
