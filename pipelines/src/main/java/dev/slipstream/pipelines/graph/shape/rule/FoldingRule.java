package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.Constant;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.Optional;

/** How an operator computes its values when its inputs are known. One operator, one rule. */
@FunctionalInterface
public interface FoldingRule {
    /**
     * @param node all its inputs are constant, unless the rule needs only their types
     * @param type what the shape rule said about this output
     * @param output which of the node's outputs
     * @return the values, bit for bit as ONNX Runtime computes them; empty if that cannot be promised, or if the result
     *     would be large
     */
    Optional<Constant> fold(TypedNode node, ValueType type, int output);
}
