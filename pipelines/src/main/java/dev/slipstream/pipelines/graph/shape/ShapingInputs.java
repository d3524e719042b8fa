package dev.slipstream.pipelines.graph.shape;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Inputs whose values decide shapes inside a graph, such as a number of frames. Before {@link StaticShapes} can fix the
 * graph, they have to become weights.
 */
public final class ShapingInputs {
    /** The operands that say sizes or places, from the first of them on. */
    private static final Map<String, Integer> FIRST_OPERAND = Map.ofEntries(Map.entry("Reshape", 1),
        Map.entry("Expand", 1), Map.entry("Tile", 1), Map.entry("Pad", 1), Map.entry("Slice", 1), Map.entry("Split", 1),
        Map.entry("Squeeze", 1), Map.entry("Unsqueeze", 1), Map.entry("ReduceSum", 1), Map.entry("TopK", 1),
        Map.entry("Resize", 2), Map.entry("Range", 0), Map.entry("ConstantOfShape", 0));

    private ShapingInputs() {
    }

    /** Their names, in alphabetical order. */
    public static Set<String> of(Graph graph) {
        Set<String> shaping = new TreeSet<>();
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        for (NodeProto node : graph.nodes()) {
            int first = Nodes.isStandard(node) ? FIRST_OPERAND.getOrDefault(node.getOpType(), Integer.MAX_VALUE)
                : Integer.MAX_VALUE;
            node.getInputList().stream().skip(first).filter(name -> !name.isEmpty()).forEach(open::add);
        }
        while (!open.isEmpty()) {
            String tensor = open.remove();
            if (!seen.add(tensor)) {
                continue;
            }
            if (graph.isInput(tensor)) {
                shaping.add(tensor);
            }
            graph.producer(tensor).filter(node -> !asksOnlyForShape(node))
                .ifPresent(node -> open.addAll(Nodes.reads(node)));
        }
        return shaping;
    }

    private static boolean asksOnlyForShape(NodeProto node) {
        return Nodes.isStandard(node) && (node.getOpType().equals("Shape") || node.getOpType().equals("Size"));
    }

    /**
     * The graph with whole numbers in the place of inputs.
     *
     * @param values elements of each, one after another, by name
     * @throws GraphException if a name is of no input
     */
    public static Graph bind(Graph graph, Map<String, List<Long>> values) {
        Map<String, TensorProto> weights = new LinkedHashMap<>(graph.weights());
        values.forEach((name, value) -> {
            if (!graph.isInput(name)) {
                throw new GraphException("'" + name + "' is no input of the graph, so it cannot be given a value");
            }
            weights.put(name, ConstantProtos.integers(name, value));
        });
        return graph.with(graph.inputs().stream().filter(input -> !values.containsKey(input.getName())).toList(),
            graph.outputs(), graph.nodes(), weights);
    }
}
