package dev.slipstream.pipelines.graph.shape;

import java.util.List;

/** What an operator makes of its inputs' types. One operator, one rule. */
@FunctionalInterface
interface ShapeRule {
    /**
     * @return types of the outputs in order; at least as many as the node has, unless it uses optional outputs that
     *     are not handled
     * @throws dev.slipstream.pipelines.graph.GraphException if the inputs do not fit the operator
     * @throws UnknownTypeException if the types cannot be known before the graph runs
     */
    List<ValueType> outputs(TypedNode node);
}
