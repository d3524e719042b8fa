package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.Shape;
import java.util.Arrays;

/**
 * The change of a layer: {@code scale · up · down}, where a convolution's kernel counts as a matrix
 * [outputs, inputs · kernel · kernel].
 *
 * @param down name of the second factor in the LoRA's file
 * @param downShape [rank, inputs] or [rank, inputs, kernel, kernel]
 * @param up name of the first factor
 * @param upShape [outputs, rank] or [outputs, rank, 1, 1]
 * @param scale alpha / rank; 1 where the file says no alpha
 */
public record LoraLayer(String down, Shape downShape, String up, Shape upShape, double scale) {
    public int rank() {
        return Math.toIntExact(downShape.dim(0));
    }

    /** Whether the factors fit each other. */
    boolean isConsistent() {
        return downShape.rank() >= 2 && upShape.rank() >= 2 && downShape.elements() > 0
            && upShape.dim(0) > 0 && upShape.dim(1) == downShape.dim(0)
            && upShape.elements() == upShape.dim(0) * upShape.dim(1);
    }

    /** Whether the product has the shape of a weight; linear layers may be stored as convolutions of one pixel. */
    boolean fits(Shape weight) {
        return weight.rank() >= 2 && weight.dim(0) == upShape.dim(0)
            && Arrays.equals(inner(weight), inner(downShape));
    }

    private static long[] inner(Shape shape) {
        long[] dims = shape.toArray();
        int end = dims.length;
        while (end > 2 && dims[end - 1] == 1) {
            end--;
        }
        return Arrays.copyOfRange(dims, 1, end);
    }
}
