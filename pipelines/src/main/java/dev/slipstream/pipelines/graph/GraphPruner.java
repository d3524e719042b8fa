package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Removes what no output needs. */
public final class GraphPruner {
    private GraphPruner() {
    }

    /**
     * The graph without nodes and weights that no output needs. Inputs stay, whether needed or not: they are what the
     * graph's callers give.
     */
    public static Graph prune(Graph graph) {
        Set<NodeProto> needed = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<String> read = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        graph.outputs().stream().map(ValueInfoProto::getName).forEach(open::push);
        while (!open.isEmpty()) {
            String tensor = open.pop();
            if (read.add(tensor)) {
                graph.producer(tensor).filter(needed::add).ifPresent(node -> Nodes.reads(node).forEach(open::push));
            }
        }
        List<NodeProto> nodes = graph.nodes().stream().filter(needed::contains).toList();
        Map<String, TensorProto> weights = new LinkedHashMap<>(graph.weights());
        weights.keySet().retainAll(read);
        Map<String, TypeProto> types = new LinkedHashMap<>(graph.types());
        types.keySet().retainAll(read);
        return graph.with(graph.inputs(), graph.outputs(), nodes, weights).withTypes(types);
    }
}
