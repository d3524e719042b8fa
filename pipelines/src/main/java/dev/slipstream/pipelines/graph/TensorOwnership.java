package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Owners by the tensors at which components end. */
final class TensorOwnership {
    private TensorOwnership() {
    }

    /** Component k is what the tensors {@code ends.get(k)} need and no earlier component has; the last is the rest. */
    static Ownership of(Graph graph, StepDependence dependence, List<List<String>> ends) {
        Ownership ownership = new Ownership();
        for (int component = 0; component < ends.size(); component++) {
            take(graph, dependence, ownership, component, ends.get(component));
            checkNotEmpty(ownership, component, ends.get(component));
        }
        for (NodeProto node : graph.nodes()) {
            if (dependence.changes(node) && ownership.owner(node).isEmpty()) {
                ownership.give(node, ends.size());
            }
        }
        checkNotEmpty(ownership, ends.size(), List.of("the outputs"));
        return ownership;
    }

    private static void take(Graph graph, StepDependence dependence, Ownership ownership, int component,
        List<String> ends) {
        Deque<NodeProto> open = new ArrayDeque<>();
        for (String end : ends) {
            open.push(graph.producer(end).orElseThrow(() -> new GraphException("cut tensor '" + end + "' of component "
                + component + " is made by no node of the graph")));
        }
        while (!open.isEmpty()) {
            NodeProto node = open.pop();
            if (dependence.changes(node) && ownership.owner(node).isEmpty()) {
                ownership.give(node, component);
                Nodes.reads(node).stream().map(graph::producer).flatMap(Optional::stream).forEach(open::push);
            }
        }
    }

    private static void checkNotEmpty(Ownership ownership, int component, List<String> ends) {
        if (ownership.isEmpty(component)) {
            throw new GraphException("component " + component + " would be empty: all that " + ends
                + " need is in earlier components or does not depend on the latents");
        }
    }
}
