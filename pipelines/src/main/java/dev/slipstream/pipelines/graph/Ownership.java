package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The component that each node belongs to. A node of no component is replicated into every segment that needs it:
 * nodes that do not change from step to step, and glue such as the concatenation of a skip.
 */
final class Ownership {
    private final Map<NodeProto, Integer> owners = new IdentityHashMap<>();
    private final int components;

    Ownership(int components) {
        this.components = components;
    }

    int components() {
        return components;
    }

    OptionalInt owner(NodeProto node) {
        Integer owner = owners.get(node);
        return owner == null ? OptionalInt.empty() : OptionalInt.of(owner);
    }

    boolean isEmpty(int component) {
        return !owners.containsValue(component);
    }

    void give(NodeProto node, int component) {
        owners.put(node, component);
    }

    /**
     * Gives nodes that make outputs of the graph, and have no owner, to the component whose value they pass on; the
     * last one if there are several, the last of all if there is none.
     */
    void adoptOutputs(Graph graph) {
        for (ValueInfoProto output : graph.outputs()) {
            NodeProto maker = graph.producer(output.getName()).orElseThrow(() -> new GraphException("output '"
                + output.getName() + "' of the graph is made by no node, so it belongs to no component"));
            if (!owners.containsKey(maker)) {
                Set<NodeProto> sources = sources(graph, maker);
                give(maker, graph.nodes().reversed().stream().filter(sources::contains).findFirst()
                    .map(owners::get).orElse(components - 1));
            }
        }
    }

    /** Nodes with an owner whose values reach a node through nodes without one. */
    private Set<NodeProto> sources(Graph graph, NodeProto reader) {
        Set<NodeProto> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Deque<NodeProto> open = new ArrayDeque<>();
        open.push(reader);
        while (!open.isEmpty()) {
            for (String tensor : Nodes.reads(open.pop())) {
                graph.producer(tensor).filter(seen::add).filter(node -> !owners.containsKey(node))
                    .ifPresent(open::push);
            }
        }
        seen.retainAll(owners.keySet());
        return seen;
    }
}
