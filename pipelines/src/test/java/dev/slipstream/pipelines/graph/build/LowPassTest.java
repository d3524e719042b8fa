package dev.slipstream.pipelines.graph.build;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.OnnxRunner;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LowPassTest {
    /** As published: transformed, with frequency 0 in the middle, cut out, transformed back. */
    private static void lows(float[] x, int from, int height, int width, float[] to) {
        int radius = Math.min(height, width) / 5;
        for (int v = 0; v < height; v++) {
            for (int u = 0; u < width; u++) {
                int down = v - height / 2;
                int across = u - width / 2;
                if (down * down + across * across <= radius * radius) {
                    double real = 0;
                    double imaginary = 0;
                    for (int place = 0; place < height * width; place++) {
                        double angle = angle(down, across, place, height, width);
                        real += x[from + place] * Math.cos(angle);
                        imaginary -= x[from + place] * Math.sin(angle);
                    }
                    for (int place = 0; place < height * width; place++) {
                        double angle = angle(down, across, place, height, width);
                        to[from + place] += (float) ((real * Math.cos(angle) - imaginary * Math.sin(angle))
                            / (height * width));
                    }
                }
            }
        }
    }

    private static double angle(int down, int across, int place, int height, int width) {
        return 2 * Math.PI * ((double) down * (place / width) / height + (double) across * (place % width) / width);
    }

    @ParameterizedTest
    @CsvSource({"16, 16", "12, 20", "15, 11", "4, 9"})
    void lowFrequenciesAreThoseOfATransformWithAllOthersLeftOut(int height, int width) throws OrtException {
        long[] shape = {2, 3, height, width};
        float[] x = new float[6 * height * width];
        float[] expected = new float[x.length];
        Random random = new Random(7);
        for (int i = 0; i < x.length; i++) {
            x[i] = random.nextFloat() - 0.3f;
        }
        for (int channel = 0; channel < 6; channel++) {
            lows(x, channel * height * width, height, width, expected);
        }
        OnnxRunner runner = new OnnxRunner();
        float[] made = OnnxRunner.floats(runner.run(LowPass.of("eps", TensorType.of(DataType.FLOAT32, shape), "low"),
            Map.of("eps", runner.tensor(x, shape))).get("low"));
        assertArrayEquals(expected, made, 2e-6f);
    }

    @Test
    void predictionsThatAreNoPicturesAreRefused() {
        assertThrows(GraphException.class,
            () -> LowPass.of("eps", TensorType.of(DataType.FLOAT32, 1, 64, 64), "low"));
    }
}
