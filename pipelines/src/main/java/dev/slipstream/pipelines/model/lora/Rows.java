package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * The matrix that factors describe, computed in fp32 row by row, so that only the factors are in memory. For one
 * thread.
 */
@FunctionalInterface
interface Rows {
    /** Adds a row to {@code sum}, which has the length of a row. */
    void addTo(float[] sum, int row);

    /** Some of the rows, or all in another order. @param place of a row of these */
    default Rows at(IntUnaryOperator place) {
        return (sum, row) -> addTo(sum, place.applyAsInt(row));
    }

    /**
     * @param file from which the factors are read
     * @param scale of the whole matrix
     * @throws ModelException if a factor is not what it was when the file's header was read, or not finite
     */
    static Rows of(Factors factors, SafetensorsFile file, double scale) {
        return switch (factors) {
            case Factors.LowRank it -> product(scaled(read(it.up(), file), scale), read(it.down(), file),
                (int) it.down().shape().dim(0));
            case Factors.Tucker it -> tucker(it, file, scale);
            case Factors.Hadamard it -> hadamard(of(it.first(), file, scale), of(it.second(), file, 1));
            case Factors.Kronecker it -> kronecker(of(it.first(), file, scale), of(it.second(), file, 1),
                it.first().dims(), it.second().dims());
            case Factors.Full it -> {
                float[] values = scaled(read(it.values(), file), scale);
                yield (sum, row) -> axpy(1, values, row * sum.length, sum);
            }
        };
    }

    /** All values of a tensor. */
    static float[] read(Factor factor, SafetensorsFile file) {
        StoredTensor tensor = file.tensor(factor.name());
        if (!tensor.shape().equals(factor.shape())) {
            throw new ModelException(file.path() + " is not the file any more that was read: " + factor.name()
                + " was " + factor.shape() + " and is " + tensor.shape());
        }
        float[] values = tensor.toFloats();
        if (Magnitudes.largest(values) >= Magnitudes.INFINITE) {
            throw new ModelException(file.path() + ": " + factor.name() + " holds infinities or NaN; the file is "
                + "damaged, or its training went wrong");
        }
        return values;
    }

    private static float[] scaled(float[] values, double scale) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (values[i] * scale);
        }
        return values;
    }

    /** Adds {@code weight} times what begins at {@code start}. */
    private static void axpy(float weight, float[] values, int start, float[] sum) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += weight * values[start + i];
        }
    }

    private static Rows product(float[] up, float[] down, int rank) {
        return (sum, row) -> {
            int r = 0;
            for (; r + 4 <= rank; r += 4) {
                axpy(up, row * rank + r, down, r * sum.length, sum);
            }
            for (; r < rank; r++) {
                axpy(up[row * rank + r], down, r * sum.length, sum);
            }
        };
    }

    /** The same for four weights from {@code first} on, in order, with a quarter of the loads and stores of sums. */
    private static void axpy(float[] weights, int first, float[] values, int start, float[] sum) {
        float a = weights[first];
        float b = weights[first + 1];
        float c = weights[first + 2];
        float d = weights[first + 3];
        int length = sum.length;
        for (int i = 0; i < length; i++) {
            sum[i] = sum[i] + a * values[start + i] + b * values[start + length + i]
                + c * values[start + 2 * length + i] + d * values[start + 3 * length + i];
        }
    }

    private static Rows tucker(Factors.Tucker factors, SafetensorsFile file, double scale) {
        float[] up = scaled(read(factors.up(), file), scale);
        float[] core = read(factors.core(), file);
        float[] down = read(factors.down(), file);
        int rank = (int) factors.core().shape().dim(0);
        int inner = (int) factors.down().shape().dim(0);
        int inputs = down.length / inner;
        int kernel = core.length / rank / inner;
        int next = factors.transposed() ? (int) factors.outputs() : 1;
        int first = factors.transposed() ? 1 : rank;
        float[] kernels = new float[inner * kernel];
        return (sum, row) -> {
            Arrays.fill(kernels, 0);
            for (int r = 0; r < rank; r++) {
                axpy(up[row * first + r * next], core, r * kernels.length, kernels);
            }
            for (int q = 0; q < inner; q++) {
                for (int i = 0; i < sum.length; i++) {
                    sum[i] += kernels[q * kernel + i % kernel] * down[q * inputs + i / kernel];
                }
            }
        };
    }

    private static Rows hadamard(Rows first, Rows second) {
        return (sum, row) -> {
            float[] one = new float[sum.length];
            float[] other = new float[sum.length];
            first.addTo(one, row);
            second.addTo(other, row);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += one[i] * other[i];
            }
        };
    }

    private static Rows kronecker(Rows first, Rows second, long[] blocks, long[] block) {
        int height = (int) block[0];
        int width = (int) Arrays.stream(block).skip(1).reduce(1, (a, b) -> a * b);
        float[] one = new float[blocks.length > 1 ? (int) blocks[1] : 1];
        float[] other = new float[width];
        return (sum, row) -> {
            Arrays.fill(one, 0);
            Arrays.fill(other, 0);
            first.addTo(one, row / height);
            second.addTo(other, row % height);
            for (int i = 0; i < one.length; i++) {
                for (int j = 0; j < width; j++) {
                    sum[i * width + j] += one[i] * other[j];
                }
            }
        };
    }

    /** Magnitudes of floats as their bits without the sign, which have the same order, NaN above all. */
    static final class Magnitudes {
        /** Of an infinity. */
        static final int INFINITE = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

        private Magnitudes() {
        }

        /** 0 if there are none. */
        static int largest(float[] values) {
            int largest = 0;
            for (float value : values) {
                largest = Math.max(largest, Float.floatToRawIntBits(value) & Integer.MAX_VALUE);
            }
            return largest;
        }

        /** The magnitude from which on a number is not finite after rounding to a type. */
        static int limit(StoredType type) {
            return switch (type) {
                case F16 -> Float.floatToRawIntBits(65520f);
                case BF16 -> Float.floatToRawIntBits(0x1.ffp127f);
                default -> INFINITE;
            };
        }
    }
}
