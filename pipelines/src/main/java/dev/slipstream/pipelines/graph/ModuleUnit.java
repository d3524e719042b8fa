package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A module that a cut does not go through.
 *
 * @param path for example {@code up_blocks.1.resnets.0}
 * @param cost of its nodes that depend on the latents
 */
record ModuleUnit(String path, double cost) {
    /** Inside the blocks of a UNet; else the first numbered module is the unit, as in {@code transformer_blocks.7}. */
    private static final Pattern PIECE_OF_BLOCK =
        Pattern.compile("(.*?\\.)??(resnets|attentions|motion_modules|downsamplers|upsamplers)\\.\\d+(?=\\.|$)");
    private static final Pattern NUMBERED = Pattern.compile("(.*?\\.)??\\D[^.]*\\.\\d+(?=\\.|$)");

    /** The modules of a graph that depend on the latents, in their order of execution. */
    static List<ModuleUnit> inOrder(Graph graph, StepDependence dependence, ToDoubleFunction<NodeProto> cost) {
        Map<String, Double> costs = new LinkedHashMap<>();
        Set<String> expensive = new HashSet<>();
        for (NodeProto node : TopologicalOrder.byDepth(graph)) {
            String path = ModulePath.of(node);
            if (dependence.changes(node) && !path.isEmpty()) {
                String unit = unit(path);
                costs.merge(unit, checked(cost.applyAsDouble(node), node), Double::sum);
                if (PrefixOwnership.mustHaveOwner(node)) {
                    expensive.add(unit);
                }
            }
        }
        List<ModuleUnit> units = new ArrayList<>();
        costs.forEach((path, sum) -> {
            // What lies between the pieces of a block, such as a concatenation, is glue and no unit.
            boolean glue = !expensive.contains(path)
                && costs.keySet().stream().anyMatch(other -> other.startsWith(path + "."));
            if (!glue) {
                units.add(new ModuleUnit(path, sum));
            }
        });
        return units;
    }

    private static String unit(String path) {
        Matcher piece = PIECE_OF_BLOCK.matcher(path);
        if (piece.lookingAt()) {
            return piece.group();
        }
        Matcher numbered = NUMBERED.matcher(path);
        return numbered.lookingAt() ? numbered.group() : path;
    }

    private static double checked(double cost, NodeProto node) {
        if (!(cost >= 0) || Double.isInfinite(cost)) {
            throw new IllegalArgumentException("the cost of node " + Nodes.label(node) + " is " + cost);
        }
        return cost;
    }
}
