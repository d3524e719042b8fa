package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Operators that make tensors of shapes or of constants. */
final class GeneratorOperators {
    /** Beyond this, sums of whole float32 numbers are rounded, and the order in which they are made matters. */
    private static final double LARGEST_EXACT = 1 << 24;

    private GeneratorOperators() {
    }

    static Map<String, ShapeRule> types() {
        return Map.of("Shape", node -> List.of(ValueType.of(ElementType.INT64, shapePart(node).length)),
            "Size", node -> List.of(ValueType.of(ElementType.INT64)),
            "ConstantOfShape", GeneratorOperators::constantOfShape,
            "Range", GeneratorOperators::range,
            "EyeLike", node -> List.of(node.type(0).withElement(node.elementType("dtype", node.element(0)))));
    }

    static Map<String, FoldingRule> values() {
        return Map.of("Shape", (node, type, output) -> Optional.of(Constant.of(type, shapePart(node))),
            "Size", (node, type, output) -> Optional.of(Constant.of(type, new long[] {node.type(0).elements()})),
            "ConstantOfShape", (node, type, output) -> Optional.of(filling(node).reshaped(type)),
            "Range", GeneratorOperators::range);
    }

    /** The dimensions that a Shape node gives; its bounds are clamped, not checked. */
    private static long[] shapePart(TypedNode node) {
        long[] dims = node.dims(0);
        int start = clamped(node.integer("start", 0), dims.length);
        int end = clamped(node.integer("end", dims.length), dims.length);
        return start >= end ? new long[0] : Arrays.copyOfRange(dims, start, end);
    }

    private static int clamped(long bound, int rank) {
        return (int) Math.clamp(bound < 0 ? bound + rank : bound, 0L, (long) rank);
    }

    /** What ConstantOfShape fills with; float zero if it does not say. */
    private static Constant filling(TypedNode node) {
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

    private static Optional<Constant> range(TypedNode node, ValueType type, int output) {
        Constant start = node.required(0);
        Constant delta = node.required(2);
        if (type.elements() > Constant.MOST_ELEMENTS) {
            return Optional.empty();
        }
        long[] words = new long[(int) type.elements()];
        if (type.element().isReal()) {
            double first = start.real(0);
            double step = delta.real(0);
            boolean whole = first == Math.rint(first) && step == Math.rint(step)
                && Math.abs(first) + Math.abs(step) * words.length < LARGEST_EXACT;
            Arrays.setAll(words, i -> Double.doubleToRawLongBits(first + i * step));
            return whole ? Optional.of(Constant.of(type, words)) : Optional.empty();
        }
        Arrays.setAll(words, i -> type.element().wrap(start.word(0) + i * delta.word(0)));
        return Optional.of(Constant.of(type, words));
    }
}
