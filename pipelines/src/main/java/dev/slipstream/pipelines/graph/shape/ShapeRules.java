package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.Nodes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The table of all operators, made of one table for each kind. */
final class ShapeRules {
    private static final Map<String, ShapeRule> RULES = collect();

    private ShapeRules() {
    }

    /** The rule of a node's operator; empty if it is not known. Domains other than ONNX's own are not known. */
    static Optional<ShapeRule> of(NodeProto node) {
        return Nodes.isStandard(node) ? Optional.ofNullable(RULES.get(node.getOpType())) : Optional.empty();
    }

    /** All operators that are known. */
    static Set<String> operators() {
        return RULES.keySet();
    }

    private static Map<String, ShapeRule> collect() {
        Map<String, ShapeRule> all = new HashMap<>();
        for (Map<String, ShapeRule> kind : List.of(ElementwiseRules.table(), NormalizationRules.table(),
            ConvolutionRules.table(), PoolingRules.table(), ResizeRules.table(), MatrixRules.table(),
            LayoutRules.table(), JoiningRules.table(), IndexingRules.table(), ReductionRules.table(),
            GeneratorRules.table())) {
            kind.forEach((operator, rule) -> {
                if (all.put(operator, rule) != null) {
                    throw new IllegalStateException("two shape rules for " + operator);
                }
            });
        }
        return Map.copyOf(all);
    }
}
