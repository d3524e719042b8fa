package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Operators that rearrange or repeat elements of one tensor. */
final class LayoutOperators {
    private LayoutOperators() {
    }

    static Map<String, ShapeRule> types() {
        Map<String, ShapeRule> table = new HashMap<>();
        table.put("Reshape", LayoutOperators::reshape);
        table.put("Flatten", LayoutOperators::flatten);
        table.put("Transpose", LayoutOperators::transpose);
        table.put("Squeeze", LayoutOperators::squeeze);
        table.put("Unsqueeze", LayoutOperators::unsqueeze);
        table.put("Expand", node -> List.of(node.type(0).withDims(node.broadcast(node.dims(0), node.integers(1)))));
        table.put("Tile", LayoutOperators::tile);
        table.put("Pad", LayoutOperators::pad);
        table.put("DepthToSpace", LayoutOperators::depthToSpace);
        table.put("SpaceToDepth", LayoutOperators::spaceToDepth);
        return table;
    }

    static Map<String, FoldingRule> values() {
        Map<String, FoldingRule> table = new HashMap<>();
        for (String operator : List.of("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity")) {
            table.put(operator, (node, type, output) -> Optional.of(node.required(0).reshaped(type)));
        }
        table.put("Transpose", LayoutOperators::transpose);
        table.put("Expand", (node, type, output) ->
            node.required(0).strided(type, 0, Dims.broadcastStrides(node.dims(0), type.dims())));
        table.put("Tile", LayoutOperators::tile);
        table.put("Trilu", LayoutOperators::triangle);
        return table;
    }

    private static List<ValueType> reshape(TypedNode node) {
        long[] input = node.dims(0);
        long[] wanted = node.integers(1);
        boolean keepZero = node.flag("allowzero");
        long[] dims = wanted.clone();
        int open = -1;
        for (int i = 0; i < dims.length; i++) {
            if (dims[i] == 0 && !keepZero) {
                if (i >= input.length) {
                    throw node.invalid("shape " + Arrays.toString(wanted) + " copies a dimension that "
                        + node.type(0) + " does not have");
                }
                dims[i] = input[i];
            } else if (dims[i] == -1 && open < 0) {
                open = i;
            } else if (dims[i] < 0) {
                throw node.invalid("shape " + Arrays.toString(wanted) + " has more than one open dimension");
            }
        }
        if (open >= 0) {
            dims[open] = 1;
            long rest = Dims.product(dims);
            dims[open] = rest == 0 ? 0 : node.type(0).elements() / rest;
        }
        if (Dims.product(dims) != node.type(0).elements()) {
            throw node.invalid("input " + node.type(0) + " cannot have shape " + Arrays.toString(wanted));
        }
        return List.of(node.type(0).withDims(dims));
    }

    private static List<ValueType> flatten(TypedNode node) {
        long[] dims = node.dims(0);
        long axis = node.integer("axis", 1);
        int split = (int) (axis < 0 ? axis + dims.length : axis);
        if (split < 0 || split > dims.length) {
            throw node.invalid("axis " + axis + " does not fit " + node.type(0));
        }
        return List.of(node.type(0).withDims(Dims.product(dims, 0, split), Dims.product(dims, split, dims.length)));
    }

    /** Which input dimension each output dimension is. */
    private static int[] permutation(TypedNode node) {
        int rank = node.rank(0);
        int[] reversed = new int[rank];
        Arrays.setAll(reversed, i -> rank - 1 - i);
        int[] order = node.integers("perm").map(perm -> node.axes(perm, rank)).orElse(reversed);
        if (Arrays.stream(order).distinct().count() != rank) {
            throw node.invalid("perm " + Arrays.toString(order) + " does not name each dimension of "
                + node.type(0) + " once");
        }
        return order;
    }

    private static List<ValueType> transpose(TypedNode node) {
        long[] dims = node.dims(0);
        return List.of(node.type(0).withDims(Arrays.stream(permutation(node)).mapToLong(axis -> dims[axis]).toArray()));
    }

    private static Optional<Constant> transpose(TypedNode node, ValueType type, int output) {
        long[] strides = Dims.strides(node.dims(0));
        int[] order = permutation(node);
        return node.required(0).strided(type, 0, Arrays.stream(order).mapToLong(axis -> strides[axis]).toArray());
    }

    private static List<ValueType> squeeze(TypedNode node) {
        long[] dims = node.dims(0);
        long[] named = node.integers(1, "axes").orElse(new long[0]);
        boolean[] drop = new boolean[dims.length];
        if (named.length == 0) {
            for (int i = 0; i < dims.length; i++) {
                drop[i] = dims[i] == 1;
            }
        } else {
            for (int axis : node.axes(named, dims.length)) {
                if (dims[axis] != 1) {
                    throw node.invalid("dimension " + axis + " of " + node.type(0) + " is not 1");
                }
                drop[axis] = true;
            }
        }
        int[] kept = IntStream.range(0, dims.length).filter(i -> !drop[i]).toArray();
        return List.of(node.type(0).withDims(Arrays.stream(kept).mapToLong(i -> dims[i]).toArray()));
    }

    private static List<ValueType> unsqueeze(TypedNode node) {
        long[] dims = node.dims(0);
        long[] named = node.integers(1, "axes").orElseThrow(() -> node.invalid("it has no axes"));
        long[] result = new long[dims.length + named.length];
        for (int axis : node.axes(named, result.length)) {
            if (result[axis] == 1) {
                throw node.invalid("axes " + Arrays.toString(named) + " name a dimension twice");
            }
            result[axis] = 1;
        }
        int next = 0;
        for (int i = 0; i < result.length; i++) {
            result[i] = result[i] == 1 ? 1 : dims[next++];
        }
        return List.of(node.type(0).withDims(result));
    }

    private static List<ValueType> tile(TypedNode node) {
        long[] dims = node.dims(0);
        long[] repeats = node.integers(1);
        if (repeats.length != dims.length) {
            throw node.invalid("it repeats " + repeats.length + " dimensions of " + node.type(0));
        }
        Arrays.setAll(dims, i -> Math.multiplyExact(dims[i], repeats[i]));
        return List.of(node.type(0).withDims(dims));
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

    private static List<ValueType> pad(TypedNode node) {
        long[] dims = node.dims(0);
        long[] pads = node.integers(1);
        int[] axes = node.has(3) ? node.axes(node.integers(3), dims.length)
            : IntStream.range(0, dims.length).toArray();
        if (pads.length != 2 * axes.length) {
            throw node.invalid("pads " + Arrays.toString(pads) + " do not fit " + axes.length + " dimensions");
        }
        for (int i = 0; i < axes.length; i++) {
            dims[axes[i]] = Math.addExact(dims[axes[i]], Math.addExact(pads[i], pads[i + axes.length]));
        }
        return List.of(node.type(0).withDims(dims));
    }

    private static List<ValueType> depthToSpace(TypedNode node) {
        long[] dims = node.dims(0);
        long block = node.integer("blocksize", 1);
        return List.of(node.type(0).withDims(dims[0], dims[1] / (block * block), dims[2] * block, dims[3] * block));
    }

    private static List<ValueType> spaceToDepth(TypedNode node) {
        long[] dims = node.dims(0);
        long block = node.integer("blocksize", 1);
        return List.of(node.type(0).withDims(dims[0], dims[1] * block * block, dims[2] / block, dims[3] / block));
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
