package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/** Collects what one segment consists of: its own nodes, replicas of nodes without an owner, inputs and outputs. */
final class SegmentContents {
    final int number;
    final Set<NodeProto> nodes = Collections.newSetFromMap(new IdentityHashMap<>());
    final Set<String> inputs = new LinkedHashSet<>();
    final Set<String> outputs = new LinkedHashSet<>();
    private final Set<String> made = new HashSet<>();
    private final Graph graph;
    private final StepDependence dependence;
    private final ConvexAssignment assignment;
    private final Deque<NodeProto> open = new ArrayDeque<>();
    private final Deque<NodeProto> shapes = new ArrayDeque<>();

    SegmentContents(int number, Graph graph, StepDependence dependence, ConvexAssignment assignment) {
        this.number = number;
        this.graph = graph;
        this.dependence = dependence;
        this.assignment = assignment;
    }

    boolean has(String tensor) {
        return made.contains(tensor) || inputs.contains(tensor);
    }

    void add(NodeProto node) {
        if (nodes.add(node)) {
            made.addAll(Nodes.writes(node));
            open.add(node);
        }
    }

    /** What the nodes make that belong to this segment and are no replicas. */
    Stream<String> ownTensors() {
        return nodes.stream().filter(node -> assignment.segment(node).equals(OptionalInt.of(number)))
            .flatMap(node -> Nodes.writes(node).stream());
    }

    /**
     * Adds whatever the nodes need. A shape of a changing tensor comes from the tensor if the segment has it, else from
     * an earlier segment that has it, so that nothing waits for a whole tensor only to know its shape.
     *
     * @param earlier the segments that run before this one, complete
     */
    void complete(Iterable<SegmentContents> earlier) {
        while (!open.isEmpty() || !shapes.isEmpty()) {
            while (!open.isEmpty()) {
                Nodes.reads(open.poll()).forEach(this::need);
            }
            if (!shapes.isEmpty()) {
                addShape(shapes.poll(), earlier);
            }
        }
    }

    private void need(String tensor) {
        if (has(tensor) || graph.weights().containsKey(tensor)) {
            return;
        }
        Optional<NodeProto> maker = graph.producer(tensor);
        if (maker.isEmpty()) {
            inputs.add(tensor);
        } else if (isShapeOfChanging(maker.get())) {
            shapes.add(maker.get());
        } else {
            OptionalInt owner = assignment.segment(maker.get());
            if (owner.isPresent() && owner.getAsInt() != number && dependence.changes(tensor)) {
                inputs.add(tensor);
            } else {
                add(maker.get());
            }
        }
    }

    private boolean isShapeOfChanging(NodeProto node) {
        return StepDependence.asksOnlyForShape(node) && dependence.changes(node.getInput(0));
    }

    private void addShape(NodeProto shape, Iterable<SegmentContents> earlier) {
        String tensor = shape.getInput(0);
        if (!has(tensor)) {
            for (SegmentContents other : earlier) {
                if (other.has(tensor)) {
                    other.add(shape);
                    other.outputs.add(shape.getOutput(0));
                    inputs.add(shape.getOutput(0));
                    return;
                }
            }
        }
        add(shape);
    }
}
