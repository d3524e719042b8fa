package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Operators that pick elements by position or by value. */
final class IndexingRules {
    private IndexingRules() {
    }

    static Map<String, ShapeRule> table() {
        Map<String, ShapeRule> table = new HashMap<>();
        table.put("Slice", node -> List.of(node.type(0).withDims(SliceRange.of(node).counts())));
        table.put("Gather", IndexingRules::gather);
        table.put("GatherElements", node -> List.of(node.type(0).withDims(node.dims(1))));
        table.put("GatherND", IndexingRules::gatherNd);
        for (String operator : List.of("Scatter", "ScatterElements", "ScatterND", "ReverseSequence")) {
            table.put(operator, node -> List.of(node.type(0)));
        }
        table.put("TopK", IndexingRules::topK);
        table.put("OneHot", IndexingRules::oneHot);
        for (String operator : List.of("NonZero", "Unique", "Compress", "NonMaxSuppression")) {
            table.put(operator, node -> {
                throw node.unknown("the shape of its output depends on values");
            });
        }
        return table;
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
}
