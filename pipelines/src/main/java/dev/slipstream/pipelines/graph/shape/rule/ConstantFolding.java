package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Computes what does not depend on the graph's inputs: the arithmetic that exporters do on shapes.
 *
 * <p>Only small tensors, and larger ones that are one value everywhere, are computed; weights stay as they are. Only
 * operators whose result is the same to the last bit on every machine are in the table, so no {@code Exp} or
 * {@code Pow}: the engine folds those with its own kernels.
 */
public final class ConstantFolding {
    private static final Map<String, FoldingRule> RULES = collect();
    private static final Set<String> NEED_ONLY_TYPES = Set.of("Shape", "Size");

    private ConstantFolding() {
    }

    private static Map<String, FoldingRule> collect() {
        Map<String, FoldingRule> all = new HashMap<>();
        for (Map<String, FoldingRule> kind : List.of(ElementwiseOperators.values(), LayoutOperators.values(),
            JoiningOperators.values(), IndexingOperators.values(), ReductionOperators.values(),
            GeneratorOperators.values())) {
            all.putAll(kind);
        }
        return Map.copyOf(all);
    }

    /**
     * The values of one output of a node.
     *
     * @param type what the shape rule says about the output
     * @return empty if an input is not constant, the operator is not in the table, or the result would be large
     */
    public static Optional<Constant> fold(TypedNode node, ValueType type, int output) {
        String operator = node.proto().getOpType();
        FoldingRule rule = Nodes.isStandard(node.proto()) ? RULES.get(operator) : null;
        boolean ready = rule != null && (NEED_ONLY_TYPES.contains(operator) || IntStream.range(0, node.inputs())
            .allMatch(input -> !node.has(input) || node.constant(input).isPresent()));
        return ready ? rule.fold(node, type, output) : Optional.empty();
    }
}
