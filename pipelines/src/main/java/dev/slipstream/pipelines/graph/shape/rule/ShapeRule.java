package dev.slipstream.pipelines.graph.shape.rule;

import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.List;

/** What an operator makes of its inputs' types. One operator, one rule. */
@FunctionalInterface
public interface ShapeRule {
    /**
     * @return types of the outputs in order; at least as many as the node has, unless it uses optional outputs that
     *     are not handled
     * @throws dev.slipstream.pipelines.graph.GraphException if the inputs do not fit the operator
     * @throws UnknownTypeException if the types cannot be known before the graph runs
     */
    List<ValueType> outputs(TypedNode node);
}
