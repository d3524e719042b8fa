package dev.slipstream.pipelines.graph.build;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * The low frequencies of latents, each channel by itself: of its discrete Fourier transform what lies within a circle
 * around frequency 0, transformed back. As the circle has with each frequency its opposite, the result is real, and so
 * are the waves that the graph takes: a constant, and cosine and sine of each frequency, along both sides. There are
 * few, so that four small products of matrices do it, on every device.
 */
public final class LowPass {
    /** The circle's radius is this part of the shorter side. */
    private static final int RADIUS_PART = 5;

    private LowPass() {
    }

    /**
     * A graph with one input and one output.
     *
     * @param type {@code [rows, channels, height, width]} float32, of both
     * @throws GraphException if the type is another
     */
    public static Graph of(String input, TensorType type, String output) {
        if (type.type() != DataType.FLOAT32 || type.shape().rank() != 4) {
            throw new GraphException("low frequencies are those of float32 [rows, channels, height, width], and "
                + input + " is " + type);
        }
        int height = Math.toIntExact(type.shape().dim(2));
        int width = Math.toIntExact(type.shape().dim(3));
        int radius = Math.min(height, width) / RADIUS_PART;
        int waves = 2 * radius + 1;
        GraphBuilder builder = new GraphBuilder("low frequencies", Path.of(""), Map.of());
        Value x = builder.input(input, DataType.FLOAT32,
            Arrays.stream(type.shape().toArray()).mapToObj(Dim::of).toArray(Dim[]::new));
        Scope scope = builder.root().child("low");
        float[][] down = waves(height, radius);
        float[][] across = waves(width, radius);
        Value amounts = scope.matMul(scope.matMul(matrix(scope, transposed(down)), x), matrix(scope, across));
        Value within = scope.mul(amounts, matrix(scope, circle(radius, waves)));
        builder.output(output, scope.matMul(scope.matMul(matrix(scope, down), within),
            matrix(scope, transposed(across))));
        return builder.build().graph();
    }

    private static Value matrix(Scope scope, float[][] rows) {
        float[] all = new float[rows.length * rows[0].length];
        for (int row = 0; row < rows.length; row++) {
            System.arraycopy(rows[row], 0, all, row * rows[0].length, rows[0].length);
        }
        return scope.matrix(rows.length, rows[0].length, all);
    }

    /** By place and wave; waves are orthogonal and of length 1. */
    private static float[][] waves(int side, int radius) {
        float[][] waves = new float[side][2 * radius + 1];
        for (int place = 0; place < side; place++) {
            waves[place][0] = (float) Math.sqrt(1.0 / side);
            for (int frequency = 1; frequency <= radius; frequency++) {
                double angle = 2 * Math.PI * frequency * place / side;
                waves[place][2 * frequency - 1] = (float) (Math.sqrt(2.0 / side) * Math.cos(angle));
                waves[place][2 * frequency] = (float) (Math.sqrt(2.0 / side) * Math.sin(angle));
            }
        }
        return waves;
    }

    private static float[][] transposed(float[][] matrix) {
        float[][] turned = new float[matrix[0].length][matrix.length];
        for (int row = 0; row < matrix.length; row++) {
            for (int column = 0; column < matrix[0].length; column++) {
                turned[column][row] = matrix[row][column];
            }
        }
        return turned;
    }

    /** 1 for pairs of waves that lie within the circle, else 0. */
    private static float[][] circle(int radius, int waves) {
        float[][] within = new float[waves][waves];
        for (int down = 0; down < waves; down++) {
            for (int across = 0; across < waves; across++) {
                int y = (down + 1) / 2;
                int x = (across + 1) / 2;
                within[down][across] = y * y + x * x <= radius * radius ? 1 : 0;
            }
        }
        return within;
    }
}
