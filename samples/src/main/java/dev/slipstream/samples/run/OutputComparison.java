package dev.slipstream.samples.run;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.StoredTensor;
import dev.slipstream.samples.verify.TensorConversion;
import java.util.Arrays;

/**
 * The verdict on one output.
 *
 * @param difference the largest absolute difference of an element; NaN if one is not a number
 * @param relative that, divided by the largest absolute value that is expected
 * @param at where it is that large
 */
record OutputComparison(String name, Shape shape, double difference, double relative, String at, boolean passed) {
    /** @param expected of the same shape as {@code actual} */
    static OutputComparison of(String name, StoredTensor expected, StoredTensor actual, double tolerance) {
        double largest = 0;
        double scale = 0;
        long at = 0;
        for (long i = 0; i < expected.shape().elements(); i++) {
            double wanted = TensorConversion.element(expected, i);
            double made = TensorConversion.element(actual, i);
            // Two infinities are equal, and their difference is not a number.
            double difference = wanted == made ? 0 : Math.abs(wanted - made);
            scale = Math.max(scale, Math.abs(wanted));
            // Not a number is the largest of all: that is never agreement.
            if (!(difference <= largest) && !Double.isNaN(largest)) {
                largest = difference;
                at = i;
            }
        }
        return new OutputComparison(name, expected.shape(), largest, largest == 0 ? 0 : largest / scale,
            Arrays.toString(position(at, expected.shape())), largest <= tolerance);
    }

    private static long[] position(long index, Shape shape) {
        long[] position = new long[shape.rank()];
        long rest = index;
        for (int axis = shape.rank() - 1; axis >= 0; axis--) {
            long size = Math.max(1, shape.dim(axis));
            position[axis] = rest % size;
            rest /= size;
        }
        return position;
    }
}
