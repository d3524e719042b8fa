package dev.slipstream.bridge.cpu;

import dev.slipstream.bridge.GuidanceRescale;
import dev.slipstream.bridge.Slice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Rescales guidance, in the order of {@code native/src/rescale.cu}: each lane adds up every {@code LANES}-th
 * element of a picture, then the lanes are added up. Belongs to one thread. The work space is not needed here.
 */
final class RescaleKernel {
    private static final int LANES = GuidanceRescale.LANES;

    private final float[] row = new float[LANES];
    private final double[] sums = new double[LANES];
    private final double[] squares = new double[LANES];

    void compute(GuidanceRescale rescale) {
        long picture = rescale.out().bytes() / rescale.pictures();
        for (int i = 0; i < rescale.pictures(); i++) {
            Slice guided = rescale.guided().slice(i * picture, picture);
            float factor = factor(rescale.strength(), rescale.text().slice(i * picture, picture), guided);
            scale(factor, guided, rescale.out().slice(i * picture, picture));
        }
    }

    private float factor(float strength, Slice text, Slice guided) {
        double textVariance = variance(text);
        double guidedVariance = variance(guided);
        if (guidedVariance == 0) {
            return 1;
        }
        return strength * (float) Math.sqrt(textVariance / guidedVariance) + (1 - strength);
    }

    /** Times one less than the number of elements, which makes no difference to a ratio. */
    private double variance(Slice values) {
        long elements = values.bytes() / Float.BYTES;
        Arrays.fill(sums, 0);
        Arrays.fill(squares, 0);
        for (long start = 0; start < elements; start += LANES) {
            int count = (int) Math.min(LANES, elements - start);
            copy(values, start, row, count);
            add(row, sums, squares, count);
        }
        double sum = sums[0];
        double square = squares[0];
        for (int lane = 1; lane < LANES; lane++) {
            sum += sums[lane];
            square += squares[lane];
        }
        double variance = square - sum * sum / elements;
        return variance < 0 ? 0 : variance;
    }

    // Of its own, as the compiler vectorises small loops over arrays best.
    private static void add(float[] row, double[] sums, double[] squares, int count) {
        for (int lane = 0; lane < count; lane++) {
            double value = row[lane];
            sums[lane] += value;
            squares[lane] += value * value;
        }
    }

    private void scale(float factor, Slice from, Slice to) {
        long elements = from.bytes() / Float.BYTES;
        MemorySegment target = ((CpuBuffer) to.buffer()).segment();
        for (long start = 0; start < elements; start += LANES) {
            int count = (int) Math.min(LANES, elements - start);
            copy(from, start, row, count);
            for (int lane = 0; lane < count; lane++) {
                row[lane] *= factor;
            }
            MemorySegment.copy(row, 0, target, ValueLayout.JAVA_FLOAT, to.offset() + start * Float.BYTES, count);
        }
    }

    private static void copy(Slice from, long start, float[] to, int count) {
        MemorySegment segment = ((CpuBuffer) from.buffer()).segment();
        MemorySegment.copy(segment, ValueLayout.JAVA_FLOAT, from.offset() + start * Float.BYTES, to, 0, count);
    }
}
