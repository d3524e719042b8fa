package dev.slipstream.pipelines.graph.pipe;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphPruner;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.pipe.TokenLayout.Section;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ConstantProtos;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A graph of one part, as it is written. */
class PartGraph {
    private final TokenFlow flow;
    private final Map<String, ValueInfoProto> inputs = new LinkedHashMap<>();
    private final Map<String, ValueInfoProto> outputs = new LinkedHashMap<>();
    private final Map<String, TensorProto> weights;
    private final List<NodeProto> nodes = new ArrayList<>();

    /** It has all that does not depend on the latents, as far as it is read. */
    PartGraph(TokenFlow flow) {
        this.flow = flow;
        this.weights = new LinkedHashMap<>(flow.graph().weights());
        flow.graph().inputs().forEach(input -> inputs.put(input.getName(), input));
        flow.graph().nodes().stream().filter(node -> !flow.changes(node)).forEach(nodes::add);
    }

    /**
     * A part for the whole picture, which also makes what each patch has of keys and values.
     *
     * @param patches all of them
     */
    static Graph whole(TokenFlow flow, Blocks blocks, int part, List<Patch> patches) {
        PartGraph graph = new PartGraph(flow);
        for (NodeProto node : flow.graph().nodes()) {
            if (!flow.changes(node) || blocks.part(node) != part) {
                continue;
            }
            graph.add(node);
            Nodes.reads(node).stream().filter(tensor -> flow.changes(tensor) && blocks.part(tensor) != part)
                .forEach(tensor -> graph.input(tensor, flow.type(tensor)));
            Nodes.writes(node).stream().filter(blocks::leaves)
                .forEach(tensor -> graph.output(tensor, flow.type(tensor)));
        }
        for (String site : flow.sites()) {
            if (blocks.part(site) == part) {
                patches.forEach(patch -> graph.tap(site, patch));
            }
        }
        flow.graph().outputs().stream().filter(output -> blocks.part(output.getName()) == part)
            .forEach(output -> graph.output(output.getName(), flow.type(output.getName())));
        return graph.result();
    }

    /** What each patch has of an input. */
    static Graph divided(TokenFlow flow, String input, List<Patch> patches) {
        PartGraph graph = new PartGraph(flow);
        patches.forEach(patch -> graph.tap(input, patch));
        return graph.result();
    }

    private void tap(String site, Patch patch) {
        TokenLayout layout = flow.layout(site).orElseThrow();
        long begin = 0;
        for (Section section : layout.sections()) {
            if (section.picture()) {
                long row = section.length() / patch.all();
                String name = PipeNetwork.ofPatch(site, patch);
                slice(site, name, layout.axis(), begin + row * patch.first(), row * patch.rows());
                output(name, type(site, TokenLayout.ofPicture(layout.axis(), 1, section.length()), patch));
            }
            begin += section.length();
        }
    }

    /** The type of what a patch has of a tensor. @param layout of all that it has a part of */
    TensorType type(String tensor, TokenLayout layout, Patch patch) {
        TensorType type = flow.type(tensor);
        return new TensorType(type.type(), Shape.of(layout.dims(type.shape().toArray(), patch)));
    }

    void add(NodeProto node) {
        nodes.add(node);
    }

    void input(String name, TensorType type) {
        inputs.putIfAbsent(name, ValueInfos.of(name, type));
    }

    void output(String name, TensorType type) {
        outputs.putIfAbsent(name, ValueInfos.of(name, type));
    }

    /** A constant. @return its name */
    String integers(String name, long... values) {
        weights.put(name, ConstantProtos.integers(name, Arrays.stream(values).boxed().toList()));
        return name;
    }

    /** @return {@code to} */
    String slice(String from, String to, int axis, long begin, long length) {
        add(NodeProto.newBuilder().setOpType("Slice").setName(to).addInput(from)
            .addInput(integers(to + "/begin", begin)).addInput(integers(to + "/end", begin + length))
            .addInput(integers(to + "/axis", axis)).addOutput(to).build());
        return to;
    }

    /** @return {@code to} */
    String concat(List<String> from, String to, int axis) {
        add(NodeProto.newBuilder().setOpType("Concat").setName(to).addAllInput(from).addOutput(to)
            .addAllAttribute(Attributes.NONE.integer("axis", axis).protos()).build());
        return to;
    }

    /** What the outputs need. */
    Graph result() {
        Graph needed = GraphPruner.prune(flow.graph().with(List.copyOf(inputs.values()),
            List.copyOf(outputs.values()), nodes, weights));
        return fixed(needed.withInputs(needed.inputs().stream()
            .filter(input -> !needed.consumers(input.getName()).isEmpty()).toList()));
    }

    /** With the types of all tensors. */
    static Graph fixed(Graph graph) {
        Map<String, TensorType> types = ValueInfos.types(graph.withTypes(declared(graph)));
        return StaticShapes.fix(graph, types);
    }

    private static Map<String, TypeProto> declared(Graph graph) {
        Map<String, TypeProto> types = new LinkedHashMap<>();
        graph.inputs().forEach(input -> types.put(input.getName(), input.getType()));
        return types;
    }
}
