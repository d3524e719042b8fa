package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Divides components into convex segments, as few as it can: each node, in an order in which nodes can run, joins the
 * first segment of its component that does not make segments wait for each other in a circle, else opens a new one.
 *
 * <p>Nodes are walked by depth, so that the result does not hang on the order in which an exporter wrote independent
 * nodes. Dependences through nodes without an owner count, as those are replicated into the segments that read them.
 */
final class ConvexAssignment {
    private final List<Integer> components = new ArrayList<>();
    private final List<BitSet> successors = new ArrayList<>();
    private final Map<NodeProto, Integer> segments = new IdentityHashMap<>();
    /** Per node the segments that must have run before what it makes can be read. */
    private final Map<NodeProto, BitSet> waitsFor = new IdentityHashMap<>();

    ConvexAssignment(Graph graph, Ownership ownership) {
        for (NodeProto node : TopologicalOrder.byDepth(graph)) {
            BitSet from = new BitSet();
            for (String tensor : Nodes.reads(node)) {
                graph.producer(tensor).ifPresent(maker -> from.or(waitsFor.get(maker)));
            }
            OptionalInt owner = ownership.owner(node);
            if (owner.isPresent()) {
                int segment = place(owner.getAsInt(), from);
                segments.put(node, segment);
                from.clear();
                from.set(segment);
            }
            waitsFor.put(node, from);
        }
    }

    private int place(int component, BitSet from) {
        int segment = 0;
        while (segment < components.size()
            && (components.get(segment) != component || reachesAny(segment, from))) {
            segment++;
        }
        if (segment == components.size()) {
            components.add(component);
            successors.add(new BitSet());
        }
        for (int before = from.nextSetBit(0); before >= 0; before = from.nextSetBit(before + 1)) {
            if (before != segment) {
                successors.get(before).set(segment);
            }
        }
        return segment;
    }

    /** Whether some other segment in {@code targets} runs after {@code start}. */
    private boolean reachesAny(int start, BitSet targets) {
        BitSet reached = new BitSet();
        BitSet open = (BitSet) successors.get(start).clone();
        while (!open.isEmpty()) {
            int next = open.nextSetBit(0);
            open.clear(next);
            reached.set(next);
            open.or(successors.get(next));
            open.andNot(reached);
        }
        reached.clear(start);
        return reached.intersects(targets);
    }

    int size() {
        return components.size();
    }

    int component(int segment) {
        return components.get(segment);
    }

    /** The segment of a node; empty for nodes without an owner. */
    OptionalInt segment(NodeProto node) {
        Integer segment = segments.get(node);
        return segment == null ? OptionalInt.empty() : OptionalInt.of(segment);
    }

    /** The segment that makes an output of the graph: the node's own, or the last of those it takes values from. */
    int outputSegment(NodeProto node) {
        return segment(node).orElseGet(() -> {
            List<Integer> order = runOrder();
            return order.reversed().stream().filter(waitsFor.get(node)::get).findFirst().orElse(order.getLast());
        });
    }

    /** Segments in an order in which they can run. */
    List<Integer> runOrder() {
        List<Integer> order = new ArrayList<>();
        BitSet open = new BitSet();
        open.set(0, size());
        while (!open.isEmpty()) {
            int next = open.stream().filter(segment -> open.stream()
                .noneMatch(before -> successors.get(before).get(segment))).findFirst().orElseThrow();
            open.clear(next);
            order.add(next);
        }
        return order;
    }
}
