package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Who makes what, and an order of the nodes in which everything is made before it is read. */
public final class TopologicalOrder {
    private TopologicalOrder() {
    }

    static Map<String, NodeProto> producers(List<NodeProto> nodes, List<ValueInfoProto> inputs, Set<String> weights) {
        Map<String, NodeProto> producers = new HashMap<>();
        for (NodeProto node : nodes) {
            for (String output : Nodes.writes(node)) {
                NodeProto other = producers.put(output, node);
                if (other != null || weights.contains(output)) {
                    throw new GraphException("tensor '" + output + "' is made twice: by node " + Nodes.label(node)
                        + " and by " + (other == null ? "a weight" : "node " + Nodes.label(other)));
                }
            }
        }
        Set<String> given = new HashSet<>();
        for (ValueInfoProto input : inputs) {
            given.add(input.getName());
            if (producers.containsKey(input.getName())) {
                throw new GraphException("tensor '" + input.getName() + "' is made twice: by node "
                    + Nodes.label(producers.get(input.getName())) + " and as an input of the graph");
            }
        }
        for (NodeProto node : nodes) {
            for (String input : Nodes.reads(node)) {
                if (!producers.containsKey(input) && !weights.contains(input) && !given.contains(input)) {
                    throw new GraphException("node " + Nodes.label(node) + " reads tensor '" + input
                        + "', which is no input, no weight and no node's output");
                }
            }
        }
        return producers;
    }

    /**
     * Nodes by the length of the longest way to them, and by what they make where that is equal. The order in which an
     * exporter wrote the nodes does not matter.
     */
    public static List<NodeProto> byDepth(Graph graph) {
        Map<NodeProto, Integer> depths = new IdentityHashMap<>();
        for (NodeProto node : graph.nodes()) {
            int depth = Nodes.reads(node).stream().map(graph::producer).flatMap(Optional::stream)
                .mapToInt(maker -> depths.get(maker) + 1).max().orElse(0);
            depths.put(node, depth);
        }
        Comparator<NodeProto> byDepth = Comparator.comparing(depths::get);
        return graph.nodes().stream()
            .sorted(byDepth.thenComparing(node -> String.join("\n", node.getOutputList()))).toList();
    }

    /** Kahn's algorithm, first come first served, so that a list which is in order stays as it is. */
    static List<NodeProto> sort(List<NodeProto> nodes, Map<String, NodeProto> producers) {
        if (isInOrder(nodes, producers)) {
            return List.copyOf(nodes);
        }
        Map<NodeProto, Integer> waiting = new IdentityHashMap<>();
        Map<NodeProto, List<NodeProto>> readers = new IdentityHashMap<>();
        Deque<NodeProto> ready = new ArrayDeque<>();
        for (NodeProto node : nodes) {
            int count = 0;
            for (String input : Nodes.reads(node)) {
                NodeProto maker = producers.get(input);
                if (maker != null) {
                    count++;
                    readers.computeIfAbsent(maker, key -> new ArrayList<>(2)).add(node);
                }
            }
            waiting.put(node, count);
            if (count == 0) {
                ready.add(node);
            }
        }
        List<NodeProto> sorted = new ArrayList<>(nodes.size());
        while (!ready.isEmpty()) {
            NodeProto node = ready.poll();
            sorted.add(node);
            for (NodeProto reader : readers.getOrDefault(node, List.of())) {
                if (waiting.merge(reader, -1, Integer::sum) == 0) {
                    ready.add(reader);
                }
            }
        }
        if (sorted.size() < nodes.size()) {
            NodeProto stuck = nodes.stream().filter(node -> waiting.get(node) > 0).findFirst().orElseThrow();
            throw new GraphException("nodes form a circle, " + Nodes.label(stuck) + " is on it or after it");
        }
        return List.copyOf(sorted);
    }

    private static boolean isInOrder(List<NodeProto> nodes, Map<String, NodeProto> producers) {
        Set<NodeProto> made = Collections.newSetFromMap(new IdentityHashMap<>(nodes.size()));
        for (NodeProto node : nodes) {
            for (String input : Nodes.reads(node)) {
                NodeProto maker = producers.get(input);
                if (maker != null && !made.contains(maker)) {
                    return false;
                }
            }
            made.add(node);
        }
        return true;
    }
}
