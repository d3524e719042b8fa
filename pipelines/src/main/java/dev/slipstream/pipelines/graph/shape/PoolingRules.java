package dev.slipstream.pipelines.graph.shape;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Pooling over windows or over all spatial dimensions. */
final class PoolingRules {
    private PoolingRules() {
    }

    static Map<String, ShapeRule> table() {
        return Map.of("AveragePool", node -> List.of(pooled(node)), "LpPool", node -> List.of(pooled(node)),
            "MaxPool", node -> List.of(pooled(node), pooled(node).withElement(ElementType.INT64)),
            "GlobalAveragePool", PoolingRules::global, "GlobalMaxPool", PoolingRules::global,
            "GlobalLpPool", PoolingRules::global);
    }

    private static ValueType pooled(TypedNode node) {
        long[] output = node.dims(0);
        long[] kernel = node.integers("kernel_shape").orElseThrow(() -> node.invalid("it has no kernel_shape"));
        if (output.length != kernel.length + 2) {
            throw node.invalid("a kernel of " + Arrays.toString(kernel) + " does not fit input " + node.type(0));
        }
        Window window = Window.of(node, kernel);
        for (int i = 2; i < output.length; i++) {
            output[i] = window.places(node, i - 2, output[i], node.flag("ceil_mode"));
        }
        return node.type(0).withDims(output);
    }

    private static List<ValueType> global(TypedNode node) {
        long[] output = node.dims(0);
        Arrays.fill(output, Math.min(2, output.length), output.length, 1);
        return List.of(node.type(0).withDims(output));
    }
}
