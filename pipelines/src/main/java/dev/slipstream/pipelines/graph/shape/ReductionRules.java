package dev.slipstream.pipelines.graph.shape;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Operators that put dimensions together into one number each. */
final class ReductionRules {
    private ReductionRules() {
    }

    static Map<String, ShapeRule> table() {
        Map<String, ShapeRule> table = new HashMap<>();
        for (String kind : List.of("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum",
            "SumSquare")) {
            table.put("Reduce" + kind, node -> List.of(reduced(node, axes(node))));
        }
        for (String operator : List.of("ArgMax", "ArgMin")) {
            table.put(operator, node -> List.of(reduced(node, node.axes(new long[] {node.integer("axis", 0)},
                node.rank(0))).withElement(ElementType.INT64)));
        }
        return table;
    }

    /** The axes over which a Reduce node goes: all, unless it names some. */
    static int[] axes(TypedNode node) {
        int rank = node.rank(0);
        long[] named = node.integers(1, "axes").orElse(new long[0]);
        if (named.length > 0 || node.flag("noop_with_empty_axes")) {
            return node.axes(named, rank);
        }
        return IntStream.range(0, rank).toArray();
    }

    private static ValueType reduced(TypedNode node, int[] axes) {
        long[] dims = node.dims(0);
        for (int axis : axes) {
            dims[axis] = 1;
        }
        if (node.integer("keepdims", 1) != 0) {
            return node.type(0).withDims(dims);
        }
        boolean[] gone = new boolean[dims.length];
        for (int axis : axes) {
            gone[axis] = true;
        }
        return node.type(0).withDims(IntStream.range(0, dims.length).filter(i -> !gone[i])
            .mapToLong(i -> dims[i]).toArray());
    }
}
