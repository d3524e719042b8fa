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
import java.util.function.LongBinaryOperator;
import java.util.stream.IntStream;

/**
 * Operators along whole dimensions: reductions, normalisations, products of matrices.
 *
 * <p>Values of integers only: sums of reals depend on the order in which an engine adds, and are left to it.
 */
final class ReductionOperators {
    private ReductionOperators() {
    }

    static Map<String, ShapeRule> types() {
        Map<String, ShapeRule> table = new HashMap<>();
        for (String kind : List.of("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum",
            "SumSquare")) {
            table.put("Reduce" + kind, node -> List.of(reduced(node, axes(node))));
        }
        for (String operator : List.of("ArgMax", "ArgMin")) {
            table.put(operator, node -> List.of(reduced(node, node.axes(new long[] {node.integer("axis", 0)},
                node.rank(0))).withElement(ElementType.INT64)));
        }
        for (String operator : List.of("Softmax", "LogSoftmax", "Hardmax", "InstanceNormalization",
            "GroupNormalization", "LpNormalization", "LRN", "MeanVarianceNormalization", "RMSNormalization")) {
            table.put(operator, node -> List.of(node.type(0)));
        }
        table.put("BatchNormalization", node -> List.of(node.type(0), node.type(3), node.type(4)));
        table.put("LayerNormalization", ReductionOperators::layerNormalization);
        table.put("MatMul", ReductionOperators::product);
        table.put("Gemm", ReductionOperators::gemm);
        table.put("Einsum", ReductionOperators::einsum);
        return table;
    }

    static Map<String, FoldingRule> values() {
        return Map.of("ReduceSum", reduction(0, Long::sum), "ReduceProd", reduction(1, (a, b) -> a * b),
            "ReduceMax", reduction(Long.MIN_VALUE, Math::max), "ReduceMin", reduction(Long.MAX_VALUE, Math::min),
            "CumSum", ReductionOperators::runningSum);
    }

    /** The axes over which a Reduce node goes: all, unless it names some. */
    private static int[] axes(TypedNode node) {
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

    private static FoldingRule reduction(long neutral, LongBinaryOperator combine) {
        return (node, type, output) -> {
            Constant input = node.required(0);
            boolean empty = input.type().elements() == 0;
            if (type.element().isReal() || !input.isSmall() || empty) {
                return Optional.empty();
            }
            long[] dims = node.dims(0);
            long[] kept = dims.clone();
            for (int axis : axes(node)) {
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

    /** Mean and inverse deviation have size one along the normalised axes, and are kept in {@code stash_type}. */
    private static List<ValueType> layerNormalization(TypedNode node) {
        ValueType input = node.type(0);
        long[] dims = input.dims();
        Arrays.fill(dims, node.axis(node.integer("axis", -1), dims.length), dims.length, 1);
        ValueType statistics = ValueType.of(node.elementType("stash_type", ElementType.FLOAT32), dims);
        return List.of(input, statistics, statistics);
    }

    /** As NumPy's matmul: a vector counts as a row on the left and as a column on the right. */
    private static List<ValueType> product(TypedNode node) {
        boolean row = node.rank(0) == 1;
        boolean column = node.rank(1) == 1;
        long[] left = row ? Dims.concat(new long[] {1}, node.dims(0)) : node.dims(0);
        long[] right = column ? Dims.concat(node.dims(1), new long[] {1}) : node.dims(1);
        if (left.length < 2 || right.length < 2 || left[left.length - 1] != right[right.length - 2]) {
            throw node.invalid("matrices " + node.type(0) + " and " + node.type(1) + " do not fit");
        }
        long[] batch = node.broadcast(Arrays.copyOf(left, left.length - 2), Arrays.copyOf(right, right.length - 2));
        long[] rows = row ? new long[0] : new long[] {left[left.length - 2]};
        long[] columns = column ? new long[0] : new long[] {right[right.length - 1]};
        return List.of(node.type(0).withDims(Dims.concat(batch, rows, columns)));
    }

    private static List<ValueType> gemm(TypedNode node) {
        long[] left = node.dims(0);
        long[] right = node.dims(1);
        int turnLeft = node.flag("transA") ? 1 : 0;
        int turnRight = node.flag("transB") ? 1 : 0;
        if (left.length != 2 || right.length != 2 || left[1 - turnLeft] != right[turnRight]) {
            throw node.invalid("matrices " + node.type(0) + " and " + node.type(1) + " do not fit");
        }
        return List.of(node.type(0).withDims(left[turnLeft], right[1 - turnRight]));
    }

    private static List<ValueType> einsum(TypedNode node) {
        List<long[]> inputs = IntStream.range(0, node.inputs()).mapToObj(node::dims).toList();
        try {
            return List.of(node.type(0).withDims(Einsum.of(node.string("equation", ""), inputs).result()));
        } catch (IllegalArgumentException unfit) {
            throw node.invalid(unfit.getMessage());
        }
    }
}
