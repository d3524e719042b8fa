package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Values of operators that only move elements. */
final class LayoutFolding {
    private LayoutFolding() {
    }

    static Map<String, FoldingRule> table() {
        Map<String, FoldingRule> table = new HashMap<>();
        for (String operator : List.of("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")) {
            table.put(operator, (node, type, output) -> Optional.of(node.required(0).reshaped(type)));
        }
        table.put("Transpose", LayoutFolding::transpose);
        table.put("Expand", (node, type, output) -> strided(node, type, 0,
            Dims.broadcastStrides(node.dims(0), type.dims())));
        table.put("Tile", LayoutFolding::tile);
        table.put("Slice", LayoutFolding::slice);
        table.put("Split", LayoutFolding::split);
        table.put("Concat", LayoutFolding::concat);
        table.put("Trilu", LayoutFolding::triangle);
        return table;
    }

    /** The first input, read from an offset with other strides. */
    private static Optional<Constant> strided(TypedNode node, ValueType type, long offset, long[] strides) {
        Constant input = node.required(0);
        if (!input.isUniform() && type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        return Optional.of(input.rearranged(type, index -> (int) (offset + Dims.offset(index, dims, strides))));
    }

    private static Optional<Constant> transpose(TypedNode node, ValueType type, int output) {
        long[] strides = Dims.strides(node.dims(0));
        int[] order = LayoutRules.permutation(node);
        return strided(node, type, 0, Arrays.stream(order).mapToLong(axis -> strides[axis]).toArray());
    }

    private static Optional<Constant> slice(TypedNode node, ValueType type, int output) {
        long[] strides = Dims.strides(node.dims(0));
        SliceRange range = SliceRange.of(node);
        long offset = 0;
        for (int i = 0; i < strides.length; i++) {
            offset += range.starts()[i] * strides[i];
            strides[i] *= range.steps()[i];
        }
        return strided(node, type, offset, strides);
    }

    private static Optional<Constant> split(TypedNode node, ValueType type, int output) {
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        List<ValueType> parts = JoiningRules.split(node);
        long start = parts.subList(0, output).stream().mapToLong(part -> part.dims()[axis]).sum();
        long[] strides = Dims.strides(dims);
        return strided(node, type, start * strides[axis], strides);
    }

    private static Optional<Constant> tile(TypedNode node, ValueType type, int output) {
        Constant input = node.required(0);
        if (!input.isUniform() && type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        long[] own = node.dims(0);
        long[] strides = Dims.strides(own);
        return Optional.of(input.rearranged(type, index -> {
            long rest = index;
            long offset = 0;
            for (int i = dims.length - 1; i >= 0; i--) {
                offset += rest % dims[i] % own[i] * strides[i];
                rest /= dims[i];
            }
            return (int) offset;
        }));
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

    /** Upper or lower triangle of matrices; {@code k} moves the diagonal to the right. */
    private static Optional<Constant> triangle(TypedNode node, ValueType type, int output) {
        if (type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        Constant input = node.required(0);
        long shift = node.has(1) ? node.integers(1)[0] : 0;
        boolean upper = node.integer("upper", 1) != 0;
        long columns = type.shape().dim(-1);
        long rows = type.shape().dim(-2);
        long[] words = new long[(int) type.elements()];
        for (int i = 0; i < words.length; i++) {
            long distance = i % columns - i / columns % rows;
            boolean kept = upper ? distance >= shift : distance <= shift;
            words[i] = kept ? input.word(i) : 0;
        }
        return Optional.of(Constant.of(type, words));
    }
}
