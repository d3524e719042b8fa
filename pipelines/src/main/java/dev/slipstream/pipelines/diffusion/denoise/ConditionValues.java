package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;

/**
 * The values of a denoiser's further input that are known as numbers, for both prompts.
 *
 * @param row its shape for one prompt
 */
public record ConditionValues(Shape row, double[] unconditional, double[] conditional) {
    /** A row of values that are the same for both prompts. */
    public static ConditionValues of(double... same) {
        return new ConditionValues(Shape.of(same.length), same, same);
    }

    /** The type of the input for both prompts. */
    public TensorType type(DataType element) {
        return type(element, row);
    }

    /** The same. @param row its shape for one prompt */
    public static TensorType type(DataType element, Shape row) {
        long[] dims = new long[row.rank() + 1];
        dims[0] = 2;
        System.arraycopy(row.toArray(), 0, dims, 1, row.rank());
        return new TensorType(element, Shape.of(dims));
    }
}
