package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongBinaryOperator;

/** Values of reductions of integers. Sums of reals depend on the order in which an engine adds, and are left to it. */
final class ReductionFolding {
    private ReductionFolding() {
    }

    static Map<String, FoldingRule> table() {
        return Map.of("ReduceSum", reduction(0, Long::sum), "ReduceProd", reduction(1, (a, b) -> a * b),
            "ReduceMax", reduction(Long.MIN_VALUE, Math::max), "ReduceMin", reduction(Long.MAX_VALUE, Math::min),
            "CumSum", ReductionFolding::runningSum);
    }

    private static FoldingRule reduction(long neutral, LongBinaryOperator combine) {
        return (node, type, output) -> {
            Constant input = node.required(0);
            boolean empty = input.type().elements() == 0;
            if (type.element().isReal() || !input.isSmall() || empty) {
                return Optional.empty();
            }
            long[] dims = node.dims(0);
            long[] kept = dims.clone();
            for (int axis : ReductionRules.axes(node)) {
                kept[axis] = 1;
            }
            long[] strides = Dims.broadcastStrides(kept, dims);
            long[] words = new long[(int) type.elements()];
            Arrays.fill(words, neutral);
            for (int i = 0; i < input.elements(); i++) {
                int target = (int) Dims.offset(i, dims, strides);
                words[target] = combine.applyAsLong(words[target], input.word(i));
            }
            Arrays.setAll(words, i -> type.element().wrap(words[i]));
            return Optional.of(Constant.of(type, words));
        };
    }

    private static Optional<Constant> runningSum(TypedNode node, ValueType type, int output) {
        Constant input = node.required(0);
        if (type.element().isReal() || !input.isSmall() || node.flag("exclusive") || node.flag("reverse")) {
            return Optional.empty();
        }
        long[] dims = type.dims();
        int axis = node.axis(node.integers(1)[0], dims.length);
        long stride = Dims.strides(dims)[axis];
        long[] words = new long[input.elements()];
        for (int i = 0; i < words.length; i++) {
            boolean first = i / stride % dims[axis] == 0;
            words[i] = type.element().wrap(input.word(i) + (first ? 0 : words[(int) (i - stride)]));
        }
        return Optional.of(Constant.of(type, words));
    }
}
