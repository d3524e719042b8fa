package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Joining tensors along a dimension, and parting them again. */
final class JoiningOperators {
    /** Each part's place is worked out from all parts before it, so the work grows with the square. */
    private static final int MOST_PARTS = 1024;

    private JoiningOperators() {
    }

    static Map<String, ShapeRule> types() {
        return Map.of("Concat", JoiningOperators::concat, "Split", JoiningOperators::split);
    }

    static Map<String, FoldingRule> values() {
        return Map.of("Concat", JoiningOperators::concat, "Split", JoiningOperators::split);
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

    private static Optional<Constant> concat(TypedNode node, ValueType type, int output) {
        if (type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        int axis = node.axis(node.integer("axis", 0), dims.length);
        long outer = Dims.product(dims, 0, axis);
        long[] words = new long[(int) type.elements()];
        int next = 0;
        for (int row = 0; next < words.length; row++) {
            for (int i = 0; i < node.inputs(); i++) {
                Constant part = node.required(i);
                int length = (int) (part.elements() / outer);
                for (int k = 0; k < length; k++) {
                    words[next++] = part.word(row * length + k);
                }
            }
        }
        return Optional.of(Constant.of(type, words));
    }

    private static List<ValueType> split(TypedNode node) {
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

    private static Optional<Constant> split(TypedNode node, ValueType type, int output) {
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        List<ValueType> parts = split(node);
        long start = parts.subList(0, output).stream().mapToLong(part -> part.dims()[axis]).sum();
        long[] strides = Dims.strides(dims);
        return node.required(0).strided(type, start * strides[axis], strides);
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
