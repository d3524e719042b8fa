package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a graph of its own for every segment. */
final class SegmentBuilder {
    private final Graph whole;
    private final ElementTypes elementTypes;
    private final Map<String, ValueInfoProto> declared = new LinkedHashMap<>();

    SegmentBuilder(Graph whole) {
        this.whole = whole;
        this.elementTypes = new ElementTypes(whole);
        whole.outputs().forEach(output -> declared.put(output.getName(), output));
        whole.inputs().forEach(input -> declared.put(input.getName(), input));
    }

    List<Segment> build(StepDependence dependence, ConvexAssignment assignment) {
        List<SegmentContents> all = contents(dependence, assignment);
        int[] pieces = new int[assignment.size()];
        all.forEach(contents -> pieces[assignment.component(contents.number)]++);
        Map<Integer, Integer> counters = new HashMap<>();
        List<Segment> segments = new ArrayList<>();
        for (SegmentContents contents : all) {
            int component = assignment.component(contents.number);
            int piece = counters.merge(component, 1, Integer::sum) - 1;
            String name = "c" + component + (pieces[component] > 1 ? "." + piece : "");
            segments.add(new Segment(name, component, graph(contents)));
        }
        return segments;
    }

    private List<SegmentContents> contents(StepDependence dependence, ConvexAssignment assignment) {
        Map<Integer, SegmentContents> byNumber = new LinkedHashMap<>();
        assignment.runOrder().forEach(number ->
            byNumber.put(number, new SegmentContents(number, whole, dependence, assignment)));
        for (NodeProto node : whole.nodes()) {
            assignment.segment(node).ifPresent(number -> byNumber.get(number).add(node));
        }
        Map<String, SegmentContents> makers = new LinkedHashMap<>();
        for (ValueInfoProto output : whole.outputs()) {
            NodeProto node = whole.producer(output.getName()).orElseThrow(() -> new GraphException("output '"
                + output.getName() + "' of the graph is made by no node, so it belongs to no segment"));
            makers.put(output.getName(), byNumber.get(assignment.outputSegment(node)));
            makers.get(output.getName()).add(node);
        }
        List<SegmentContents> complete = new ArrayList<>();
        for (SegmentContents contents : byNumber.values()) {
            contents.complete(complete);
            complete.add(contents);
        }
        addOutputs(complete, makers);
        return complete;
    }

    /** What other segments read, and the outputs of the whole, if they are not among that. */
    private void addOutputs(List<SegmentContents> segments, Map<String, SegmentContents> makers) {
        Set<String> read = new HashSet<>();
        segments.forEach(segment -> read.addAll(segment.inputs));
        for (SegmentContents segment : segments) {
            segment.ownTensors().filter(read::contains).forEach(segment.outputs::add);
        }
        makers.forEach((output, maker) -> {
            if (segments.stream().noneMatch(segment -> segment.outputs.contains(output))) {
                maker.outputs.add(output);
            }
        });
    }

    private Graph graph(SegmentContents contents) {
        List<NodeProto> nodes = whole.nodes().stream().filter(contents.nodes::contains).toList();
        Map<String, TensorProto> weights = new LinkedHashMap<>();
        for (NodeProto node : nodes) {
            for (String tensor : Nodes.reads(node)) {
                if (whole.weights().containsKey(tensor)) {
                    weights.put(tensor, whole.weights().get(tensor));
                }
            }
        }
        return GraphPruner.prune(whole.with(inOrder(contents.inputs), inOrder(contents.outputs), nodes, weights));
    }

    /** Inputs of the whole graph as it lists them, then what nodes make, in their order. */
    private List<ValueInfoProto> inOrder(Set<String> tensors) {
        List<ValueInfoProto> sorted = new ArrayList<>();
        whole.inputs().stream().filter(input -> tensors.contains(input.getName())).forEach(sorted::add);
        whole.nodes().stream().flatMap(node -> Nodes.writes(node).stream()).filter(tensors::contains)
            .map(this::describe).forEach(sorted::add);
        return sorted;
    }

    /** Engines need an element type of every input; a shape is given only where it is known. */
    private ValueInfoProto describe(String tensor) {
        TypeProto.Tensor unknown = TypeProto.Tensor.newBuilder().setElemType(elementTypes.of(tensor)).build();
        TypeProto type = whole.types().getOrDefault(tensor, TypeProto.newBuilder().setTensorType(unknown).build());
        return declared.getOrDefault(tensor, ValueInfoProto.newBuilder().setName(tensor).setType(type).build());
    }
}
