package org.example.toy;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** What streams compute by themselves, in the order that the contract asks for. */
final class ToyArithmetic {
    private ToyArithmetic() {
    }

    static void combine(Combination combination) {
        float[] sum = new float[(int) (combination.out().bytes() / Float.BYTES)];
        for (int term = 0; term < combination.inputs().size(); term++) {
            float[] values = load(combination.inputs().get(term));
            float weight = combination.weights().get(term);
            for (int i = 0; i < sum.length; i++) {
                sum[i] = term == 0 ? values[i] * weight : sum[i] + weight * values[i];
            }
        }
        store(sum, combination.out());
    }

    static void rescale(GuidanceRescale rescale) {
        long bytes = rescale.out().bytes() / rescale.pictures();
        for (int i = 0; i < rescale.pictures(); i++) {
            float[] values = load(rescale.guided().slice(i * bytes, bytes));
            double text = variance(load(rescale.text().slice(i * bytes, bytes)));
            double guided = variance(values);
            float strength = rescale.strength();
            float factor = guided == 0 ? 1 : strength * (float) Math.sqrt(text / guided) + (1 - strength);
            for (int at = 0; at < values.length; at++) {
                values[at] *= factor;
            }
            store(values, rescale.out().slice(i * bytes, bytes));
        }
    }

    /** Each lane adds up every {@code LANES}-th element, then the lanes are added up. */
    private static double variance(float[] values) {
        double[] sums = new double[GuidanceRescale.LANES];
        double[] squares = new double[GuidanceRescale.LANES];
        for (int i = 0; i < values.length; i++) {
            double value = values[i];
            sums[i % GuidanceRescale.LANES] += value;
            squares[i % GuidanceRescale.LANES] += value * value;
        }
        double sum = 0;
        double square = 0;
        for (int lane = 0; lane < GuidanceRescale.LANES; lane++) {
            sum += sums[lane];
            square += squares[lane];
        }
        return Math.max(0, square - sum * sum / values.length);
    }

    static void limit(Limiting limiting) {
        long bytes = limiting.values() * Float.BYTES;
        for (int i = 0; i < limiting.pictures(); i++) {
            float[] values = load(limiting.in().slice(i * bytes, bytes));
            float bound;
            float divisor;
            switch (limiting.limit()) {
                case Limit.Clamp clamp -> {
                    bound = clamp.range();
                    divisor = 1;
                }
                case Limit.DynamicThreshold threshold -> {
                    float quantile = quantile(values, threshold);
                    float raised = quantile >= 1 ? quantile : 1;
                    bound = raised > threshold.largest() ? threshold.largest() : raised;
                    divisor = bound;
                }
            }
            for (int at = 0; at < values.length; at++) {
                float value = values[at];
                values[at] = (value > bound ? bound : value < -bound ? -bound : value) / divisor;
            }
            store(values, limiting.out().slice(i * bytes, bytes));
        }
    }

    private static float quantile(float[] values, Limit.DynamicThreshold threshold) {
        float[] sorted = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            sorted[i] = Math.abs(values[i]);
        }
        Arrays.sort(sorted); // a NaN counts as larger than all numbers
        float rank = threshold.rank(values.length);
        float share = rank - (long) rank;
        float below = sorted[(int) rank];
        if (share == 0) {
            return below;
        }
        float above = sorted[(int) rank + 1];
        float step = above - below;
        return share < 0.5f ? below + share * step : above - step * (1 - share);
    }

    /** Added up in lanes and groups, as the API fixes it. */
    static void compare(RelativeChange change) {
        float[] now = load(change.now());
        float[] then = load(change.then());
        double[] moved = new double[RelativeChange.LANES];
        double[] size = new double[RelativeChange.LANES];
        for (int i = 0; i < now.length; i++) {
            moved[i % RelativeChange.LANES] += Math.abs((double) now[i] - then[i]);
            size[i % RelativeChange.LANES] += Math.abs((double) then[i]);
        }
        store(new float[] {(float) (grouped(moved) / grouped(size))}, change.out());
    }

    private static double grouped(double[] lanes) {
        double[] groups = new double[RelativeChange.GROUPS];
        for (int lane = 0; lane < lanes.length; lane++) {
            groups[lane % RelativeChange.GROUPS] += lanes[lane];
        }
        return Arrays.stream(groups).reduce(0, Double::sum);
    }

    static void checkFinite(Tensor tensor, Slice mark, int label) {
        MemorySegment marks = ToyDevice.Buffer.memory(mark);
        if (marks.get(JAVA_INT_UNALIGNED, 0) > label && !isFinite(tensor)) {
            marks.set(JAVA_INT_UNALIGNED, 0, label);
        }
    }

    private static boolean isFinite(Tensor tensor) {
        MemorySegment memory = ToyDevice.Buffer.memory(tensor.slice());
        int bytes = tensor.type().type().bytes();
        for (long at = 0; at < memory.byteSize(); at += bytes) {
            int exponent = switch (tensor.type().type()) {
                case FLOAT32 -> memory.get(JAVA_INT_UNALIGNED, at) >>> 23 & 0xFF ^ 0xFF;
                case FLOAT16 -> memory.get(JAVA_SHORT_UNALIGNED, at) >>> 10 & 0x1F ^ 0x1F;
                default -> memory.get(JAVA_SHORT_UNALIGNED, at) >>> 7 & 0xFF ^ 0xFF;
            };
            if (exponent == 0) {
                return false;
            }
        }
        return true;
    }

    private static float[] load(Slice slice) {
        return ToyDevice.Buffer.memory(slice).toArray(JAVA_FLOAT_UNALIGNED);
    }

    private static void store(float[] values, Slice slice) {
        MemorySegment.copy(values, 0, ToyDevice.Buffer.memory(slice), JAVA_FLOAT_UNALIGNED, 0, values.length);
    }
}
