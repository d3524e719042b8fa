package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;

/**
 * A window sliding over the spatial dimensions, as in convolution and pooling.
 *
 * @param pads before each spatial dimension, then after each
 */
record Window(long[] kernel, long[] strides, long[] dilations, long[] pads, String autoPad) {
    static Window of(TypedNode node, long[] kernel) {
        int rank = kernel.length;
        long[] ones = new long[rank];
        Arrays.fill(ones, 1);
        Window window = new Window(kernel, node.integers("strides").orElse(ones),
            node.integers("dilations").orElse(ones), node.integers("pads").orElse(new long[2 * rank]),
            node.string("auto_pad", "NOTSET"));
        if (window.strides.length != rank || window.dilations.length != rank || window.pads.length != 2 * rank) {
            throw node.invalid("strides, dilations and pads do not fit a kernel of " + Arrays.toString(kernel));
        }
        return window;
    }

    private boolean isSame() {
        return autoPad.startsWith("SAME_");
    }

    /** How far one dimension of the window reaches with its dilation. */
    private long reach(int axis) {
        return (kernel[axis] - 1) * dilations[axis] + 1;
    }

    private long padding(int axis) {
        return autoPad.equals("VALID") ? 0 : pads[axis] + pads[axis + kernel.length];
    }

    /** Places for the window in one dimension; with {@code ceil} a last place that is only partly filled counts. */
    long places(TypedNode node, int axis, long size, boolean ceil) {
        long stride = strides[axis];
        if (isSame()) {
            return Math.ceilDiv(size, stride);
        }
        long room = size + padding(axis) - reach(axis);
        if (room < 0) {
            throw node.invalid("a kernel reaching over " + reach(axis) + " is larger than the input's " + size
                + " with padding " + padding(axis));
        }
        if (!ceil) {
            return room / stride + 1;
        }
        long places = Math.ceilDiv(room, stride) + 1;
        // A window must start inside the input or the padding before it.
        boolean startsBehind = (places - 1) * stride >= size + (autoPad.equals("VALID") ? 0 : pads[axis]);
        return startsBehind ? places - 1 : places;
    }

    /** Size of the output of a transposed convolution in one dimension. */
    long transposedSize(int axis, long size, long outputPadding) {
        if (isSame()) {
            return size * strides[axis];
        }
        return strides[axis] * (size - 1) + outputPadding + reach(axis) - padding(axis);
    }
}
