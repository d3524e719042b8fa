package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.Dims;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Operators that pick or replace elements by position or by value. Values: positions out of range are left to the
 * engine.
 */
final class IndexingOperators {
    private IndexingOperators() {
    }

    static Map<String, ShapeRule> types() {
        Map<String, ShapeRule> table = new HashMap<>();
        table.put("Slice", node -> List.of(node.type(0).withDims(SliceRange.of(node).counts())));
        table.put("Gather", IndexingOperators::gather);
        table.put("GatherElements", node -> List.of(node.type(0).withDims(node.dims(1))));
        table.put("GatherND", IndexingOperators::gatherNd);
        for (String operator : List.of("Scatter", "ScatterElements", "ScatterND", "ReverseSequence")) {
            table.put(operator, node -> List.of(node.type(0)));
        }
        table.put("TopK", IndexingOperators::topK);
        table.put("OneHot", IndexingOperators::oneHot);
        for (String operator : List.of("NonZero", "Unique", "Compress", "NonMaxSuppression")) {
            table.put(operator, node -> {
                throw node.unknown("the shape of its output depends on values");
            });
        }
        return table;
    }

    static Map<String, FoldingRule> values() {
        return Map.of("Gather", IndexingOperators::gather, "GatherElements", IndexingOperators::gatherElements,
            "ScatterND", IndexingOperators::scatterNd, "Slice", IndexingOperators::slice);
    }

    /**
     * What a Slice node takes of each dimension: {@code counts[i]} elements from {@code starts[i]} on, every
     * {@code steps[i]}-th, backwards if negative. Bounds out of range are clamped as the operator says.
     */
    private record SliceRange(long[] starts, long[] steps, long[] counts) {
        static SliceRange of(TypedNode node) {
            long[] dims = node.dims(0);
            long[] from = node.integers(1);
            long[] to = node.integers(2);
            long[] every = node.has(4) ? node.integers(4) : ones(from.length);
            long[] named = node.has(3) ? node.integers(3) : firstAxes(from.length);
            if (to.length != from.length || every.length != from.length || named.length != from.length) {
                throw node.invalid("starts, ends, axes and steps differ in length");
            }
            int[] axes = node.axes(named, dims.length);
            SliceRange range = new SliceRange(new long[dims.length], ones(dims.length), dims.clone());
            for (int i = 0; i < axes.length; i++) {
                if (every[i] == 0) {
                    throw node.invalid("step 0 gets nowhere");
                }
                if (every[i] < 0 && (to[i] == Long.MAX_VALUE || to[i] == Integer.MAX_VALUE)) {
                    throw node.unknown(
                        "engines disagree where a slice ends that goes backwards to the largest integer");
                }
                range.cut(axes[i], dims[axes[i]], from[i], to[i], every[i]);
            }
            return range;
        }

        private void cut(int axis, long size, long from, long to, long step) {
            boolean forward = step > 0;
            // Backwards an end before the first element is -1, which after wrapping cannot be said otherwise.
            long start = clamp(from < 0 ? from + size : from, 0, forward ? size : size - 1);
            long end = clamp(to < 0 ? to + size : to, forward ? 0 : -1, forward ? size : size - 1);
            starts[axis] = start;
            steps[axis] = step;
            long distance = forward ? end - start : start - end;
            // A step may be as large as any integer; then its magnitude does not exist as a positive number.
            long magnitude = step == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(step);
            counts[axis] = distance <= 0 ? 0 : (distance - 1) / magnitude + 1;
        }

        private static long clamp(long value, long least, long most) {
            return Math.min(Math.max(value, least), most);
        }

        private static long[] ones(int count) {
            long[] ones = new long[count];
            Arrays.fill(ones, 1);
            return ones;
        }

        private static long[] firstAxes(int count) {
            long[] axes = new long[count];
            Arrays.setAll(axes, i -> i);
            return axes;
        }
    }

    private static Optional<Constant> slice(TypedNode node, ValueType type, int output) {
        long[] strides = Dims.strides(node.dims(0));
        SliceRange range = SliceRange.of(node);
        long offset = 0;
        for (int i = 0; i < strides.length; i++) {
            offset += range.starts()[i] * strides[i];
            strides[i] *= range.steps()[i];
        }
        return node.required(0).strided(type, offset, strides);
    }

    private static List<ValueType> gather(TypedNode node) {
        long[] data = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), data.length);
        return List.of(node.type(0)
            .withDims(Dims.concat(Arrays.copyOf(data, axis), node.dims(1), Dims.from(data, axis + 1))));
    }

    private static List<ValueType> gatherNd(TypedNode node) {
        long[] data = node.dims(0);
        long[] indices = node.dims(1);
        long batches = node.integer("batch_dims", 0);
        if (batches < 0 || batches >= Math.min(data.length, indices.length)
            || !Arrays.equals(data, 0, (int) batches, indices, 0, (int) batches)) {
            throw node.invalid("indices " + node.type(1) + " and " + node.type(0) + " do not share " + batches
                + " batch dimensions");
        }
        int batch = (int) batches;
        long last = indices[indices.length - 1];
        if (last < 1 || last > data.length - batch) {
            throw node.invalid("indices " + node.type(1) + " do not fit " + node.type(0));
        }
        return List.of(node.type(0)
            .withDims(Dims.concat(Arrays.copyOf(indices, indices.length - 1), Dims.from(data, batch + (int) last))));
    }

    private static List<ValueType> topK(TypedNode node) {
        long count = node.integers(1)[0];
        int axis = node.axis(node.integer("axis", -1), node.rank(0));
        // ONNX Runtime divides by the number of rows.
        if (count < 0 || count > node.dims(0)[axis] || node.type(0).elements() == 0) {
            throw node.invalid("there are no " + count + " elements along axis " + axis + " of " + node.type(0));
        }
        ValueType values = node.type(0).withDims(Dims.with(node.dims(0), axis, count));
        return List.of(values, values.withElement(ElementType.INT64));
    }

    /** The new dimension is inserted at {@code axis}, counted in the result. */
    private static List<ValueType> oneHot(TypedNode node) {
        long[] indices = node.dims(0);
        long depth = (long) node.required(1).real(0);
        int axis = node.axis(node.integer("axis", -1), indices.length + 1);
        return List.of(node.type(2)
            .withDims(Dims.concat(Arrays.copyOf(indices, axis), new long[] {depth}, Dims.from(indices, axis))));
    }

    /** The positions that an index input names, from 0 up; empty if one is out of range. */
    private static Optional<long[]> positions(Constant indices, long size) {
        if (!indices.isSmall()) {
            return Optional.empty();
        }
        long[] positions = indices.integers();
        for (int i = 0; i < positions.length; i++) {
            positions[i] += positions[i] < 0 ? size : 0;
            if (positions[i] < 0 || positions[i] >= size) {
                return Optional.empty();
            }
        }
        return Optional.of(positions);
    }

    private static Optional<Constant> gather(TypedNode node, ValueType type, int output) {
        Constant data = node.required(0);
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        long inner = Dims.product(dims, axis + 1, dims.length);
        if (!data.isUniform() && type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        return positions(node.required(1), dims[axis]).map(positions -> data.rearranged(type, index -> {
            long column = index % inner;
            long row = index / inner;
            long outer = row / positions.length;
            return (int) ((outer * dims[axis] + positions[(int) (row % positions.length)]) * inner + column);
        }));
    }

    private static Optional<Constant> gatherElements(TypedNode node, ValueType type, int output) {
        Constant data = node.required(0);
        long[] dims = node.dims(0);
        int axis = node.axis(node.integer("axis", 0), dims.length);
        long[] strides = Dims.strides(dims);
        long[] others = Dims.with(strides, axis, 0);
        return positions(node.required(1), dims[axis]).map(positions -> data.rearranged(type,
            index -> (int) (Dims.offset(index, type.dims(), others) + positions[index] * strides[axis])));
    }

    private static Optional<Constant> scatterNd(TypedNode node, ValueType type, int output) {
        Constant data = node.required(0);
        Constant indices = node.required(1);
        Constant updates = node.required(2);
        boolean plain = node.string("reduction", "none").equals("none");
        if (!plain || !data.isSmall() || !indices.isSmall() || !updates.isSmall()) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        long[] strides = Dims.strides(dims);
        int depth = (int) indices.type().shape().dim(-1);
        int block = (int) Dims.product(dims, depth, dims.length);
        long[] words = new long[data.elements()];
        Arrays.setAll(words, data::word);
        for (int row = 0; row * depth < indices.elements(); row++) {
            long start = 0;
            for (int i = 0; i < depth; i++) {
                long position = indices.word(row * depth + i);
                position += position < 0 ? dims[i] : 0;
                if (position < 0 || position >= dims[i]) {
                    return Optional.empty();
                }
                start += position * strides[i];
            }
            for (int k = 0; k < block; k++) {
                words[(int) start + k] = updates.word(row * block + k);
            }
        }
        return Optional.of(Constant.of(type, words));
    }
}
