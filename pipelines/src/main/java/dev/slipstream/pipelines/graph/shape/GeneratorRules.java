package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Operators that make tensors of shapes or of constants. */
final class GeneratorRules {
    private GeneratorRules() {
    }

    static Map<String, ShapeRule> table() {
        return Map.of("Shape", node -> List.of(ValueType.of(ElementType.INT64, shapePart(node).length)),
            "Size", node -> List.of(ValueType.of(ElementType.INT64)),
            "ConstantOfShape", GeneratorRules::constantOfShape,
            "Range", GeneratorRules::range,
            "EyeLike", node -> List.of(node.type(0).withElement(node.elementType("dtype", node.element(0)))));
    }

    /** The dimensions that a Shape node gives; its bounds are clamped, not checked. */
    static long[] shapePart(TypedNode node) {
        long[] dims = node.dims(0);
        int start = clamped(node.integer("start", 0), dims.length);
        int end = clamped(node.integer("end", dims.length), dims.length);
        return start >= end ? new long[0] : Arrays.copyOfRange(dims, start, end);
    }

    private static int clamped(long bound, int rank) {
        return (int) Math.clamp(bound < 0 ? bound + rank : bound, 0L, (long) rank);
    }

    /** What ConstantOfShape fills with; float zero if it does not say. */
    static Constant filling(TypedNode node) {
        return node.tensor("value").map(ConstantProtos::scalar)
            .orElseGet(() -> Constant.of(ValueType.of(ElementType.FLOAT32), new long[] {0}));
    }

    private static List<ValueType> constantOfShape(TypedNode node) {
        return List.of(filling(node).type().withDims(node.integers(0)));
    }

    private static List<ValueType> range(TypedNode node) {
        Constant start = node.required(0);
        Constant limit = node.required(1);
        Constant delta = node.required(2);
        if (delta.isZero()) {
            throw node.invalid("delta is 0");
        }
        long count;
        if (start.type().element().isReal()) {
            count = (long) Math.ceil((limit.real(0) - start.real(0)) / delta.real(0));
        } else {
            count = Math.ceilDivExact(Math.subtractExact(limit.word(0), start.word(0)), delta.word(0));
        }
        return List.of(start.type().withDims(Math.max(count, 0)));
    }
}
