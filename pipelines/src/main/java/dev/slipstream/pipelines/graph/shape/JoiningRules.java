package dev.slipstream.pipelines.graph.shape;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Joining tensors along a dimension, and parting them again. */
final class JoiningRules {
    /** Each part's place is worked out from all parts before it, so the work grows with the square. */
    private static final int MOST_PARTS = 1024;

    private JoiningRules() {
    }

    static Map<String, ShapeRule> table() {
        return Map.of("Concat", JoiningRules::concat, "Split", JoiningRules::split);
    }

    private static List<ValueType> concat(TypedNode node) {
        ValueType first = node.type(0);
        long[] dims = first.dims();
        int axis = node.axis(node.integer("axis", 0), dims.length);
        for (int i = 1; i < node.inputs(); i++) {
            long[] other = node.dims(i);
            if (other.length != dims.length || node.element(i) != first.element()
                || !Arrays.equals(Dims.with(dims, axis, 0), Dims.with(other, axis, 0))) {
                throw node.invalid("inputs " + first + " and " + node.type(i) + " do not fit along axis " + axis);
            }
            dims[axis] += other[axis];
        }
        return List.of(first.withDims(dims));
    }

    static List<ValueType> split(TypedNode node) {
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        int parts = node.proto().getOutputCount();
        if (parts > MOST_PARTS) {
            throw node.invalid("it has " + parts + " outputs, more than " + MOST_PARTS);
        }
        // Operator set 18 has it; ONNX Runtime believes it, and writes where no output is.
        if (node.integer("num_outputs", parts) != parts) {
            throw node.invalid("it has " + parts + " outputs, but num_outputs is " + node.integer("num_outputs", 0));
        }
        long[] sizes = node.integers(1, "split").orElseGet(() -> evenly(node, dims[axis], parts));
        if (sizes.length != parts || Arrays.stream(sizes).sum() != dims[axis]) {
            throw node.invalid("parts " + Arrays.toString(sizes) + " do not fill axis " + axis + " of " + node.type(0));
        }
        List<ValueType> types = new ArrayList<>();
        for (long size : sizes) {
            types.add(node.type(0).withDims(Dims.with(dims, axis, size)));
        }
        return types;
    }

    /** Equal parts; where they cannot be equal the last is smaller. */
    private static long[] evenly(TypedNode node, long size, int parts) {
        long each = Math.ceilDiv(size, (long) parts);
        long[] sizes = new long[parts];
        Arrays.fill(sizes, each);
        sizes[parts - 1] = size - each * (parts - 1);
        if (sizes[parts - 1] < 0) {
            throw node.invalid("dimension of " + size + " cannot be split into " + parts + " parts");
        }
        return sizes;
    }
}
