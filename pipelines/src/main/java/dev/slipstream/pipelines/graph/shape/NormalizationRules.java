package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Normalisations: the shape stays, and some hand out their statistics as well. */
final class NormalizationRules {
    private NormalizationRules() {
    }

    static Map<String, ShapeRule> table() {
        Map<String, ShapeRule> table = new HashMap<>();
        for (String operator : List.of("Softmax", "LogSoftmax", "Hardmax", "InstanceNormalization",
            "GroupNormalization", "LpNormalization", "LRN", "MeanVarianceNormalization", "RMSNormalization")) {
            table.put(operator, node -> List.of(node.type(0)));
        }
        table.put("BatchNormalization", NormalizationRules::batch);
        table.put("LayerNormalization", NormalizationRules::layer);
        return table;
    }

    private static List<ValueType> batch(TypedNode node) {
        return List.of(node.type(0), node.type(3), node.type(4));
    }

    /** Mean and inverse deviation have size one along the normalised axes, and are kept in {@code stash_type}. */
    private static List<ValueType> layer(TypedNode node) {
        ValueType input = node.type(0);
        long[] dims = input.dims();
        Arrays.fill(dims, node.axis(node.integer("axis", -1), dims.length), dims.length, 1);
        ValueType statistics = ValueType.of(node.elementType("stash_type", ElementType.FLOAT32), dims);
        return List.of(input, statistics, statistics);
    }
}
