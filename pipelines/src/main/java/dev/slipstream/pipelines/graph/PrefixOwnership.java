package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Owners by the modules that a {@link Cut} lists. */
final class PrefixOwnership {
    /** What nobody wants to run twice: glue is replicated, so these must have an owner. */
    private static final Set<String> EXPENSIVE = Set.of("Conv", "ConvTranspose", "MatMul", "Gemm", "Einsum", "Softmax",
        "LayerNormalization", "InstanceNormalization", "GroupNormalization", "BatchNormalization", "RMSNormalization",
        "Attention");

    private PrefixOwnership() {
    }

    static Ownership of(Graph graph, StepDependence dependence, Cut cut) {
        Map<String, Integer> components = new HashMap<>();
        for (int component = 0; component < cut.size(); component++) {
            for (String prefix : cut.components().get(component)) {
                components.put(prefix, component);
            }
        }
        checkMatches(graph, cut, components);
        Ownership ownership = new Ownership();
        for (NodeProto node : graph.nodes()) {
            if (dependence.changes(node)) {
                ModulePath.longestPrefix(ModulePath.of(node), components)
                    .ifPresentOrElse(prefix -> ownership.give(node, components.get(prefix)), () -> glue(node, cut));
            }
        }
        for (int component = 0; component < cut.size(); component++) {
            if (ownership.isEmpty(component)) {
                throw new GraphException("component " + component + " of cut '" + cut.name() + "' would be empty: no "
                    + "node of " + cut.components().get(component) + " depends on the latents");
            }
        }
        return ownership;
    }

    static boolean mustHaveOwner(NodeProto node) {
        return EXPENSIVE.contains(node.getOpType()) || StepDependence.isRandom(node);
    }

    private static void glue(NodeProto node, Cut cut) {
        if (mustHaveOwner(node)) {
            throw new GraphException("node " + Nodes.label(node) + " (" + node.getOpType()
                + ") belongs to no component of cut '" + cut.name() + "'; list its module in one");
        }
    }

    private static void checkMatches(Graph graph, Cut cut, Map<String, Integer> components) {
        Set<String> unmatched = new HashSet<>(components.keySet());
        Set<String> paths = new HashSet<>();
        for (NodeProto node : graph.nodes()) {
            String path = ModulePath.of(node);
            while (!path.isEmpty() && paths.add(path)) {
                unmatched.remove(path);
                path = path.substring(0, Math.max(0, path.lastIndexOf('.')));
            }
        }
        for (int component = 0; component < cut.size(); component++) {
            for (String prefix : cut.components().get(component)) {
                if (unmatched.contains(prefix)) {
                    throw new GraphException("'" + prefix + "' in component " + component + " of cut '" + cut.name()
                        + "' matches no node of the graph");
                }
            }
        }
    }
}
