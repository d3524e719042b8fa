package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/** Values of operators that make tensors of shapes or of constants. */
final class GeneratorFolding {
    /** Beyond this, sums of whole float32 numbers are rounded, and the order in which they are made matters. */
    private static final double LARGEST_EXACT = 1 << 24;

    private GeneratorFolding() {
    }

    static Map<String, FoldingRule> table() {
        return Map.of("Shape", (node, type, output) -> Optional.of(Constant.of(type, GeneratorRules.shapePart(node))),
            "Size", (node, type, output) -> Optional.of(Constant.of(type, new long[] {node.type(0).elements()})),
            "ConstantOfShape", (node, type, output) -> Optional.of(GeneratorRules.filling(node).reshaped(type)),
            "Range", GeneratorFolding::range);
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
