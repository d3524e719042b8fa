package dev.slipstream.pipelines.graph.patch;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A graph that changes at the operators that look beyond a patch, and gives out what patches exchange there. */
abstract sealed class Rewrite permits PatchRewrite, TappedRewrite {
    final Graph graph;
    final Sites sites;
    final Patching patching;
    final Map<String, TensorType> types;
    final Additions additions;
    /** What patches read of what this graph makes. */
    final List<String> taps = new ArrayList<>();

    /** @param types of the graph's tensors */
    Rewrite(Graph graph, Sites sites, Patching patching, Map<String, TensorType> types) {
        this.graph = graph;
        this.sites = sites;
        this.patching = patching;
        this.types = types;
        this.additions = new Additions(graph.opset(), graph.weights());
    }

    /** The rewritten graph; its first output is what this graph makes of the prediction, the others are the taps. */
    abstract Graph rewritten();

    /** A graph of these nodes, with the types of all its tensors. */
    final Graph of(List<ValueInfoProto> inputs, String prediction, List<NodeProto> nodes) {
        List<ValueInfoProto> outputs = Stream.concat(Stream.of(prediction), taps.stream())
            .map(name -> ValueInfoProto.newBuilder().setName(name).build()).toList();
        return StaticShapes.fix(graph.with(inputs, outputs, nodes, additions.weights()).withTypes(Map.of()),
            ValueInfos.typesOf(inputs));
    }

    final List<Long> dims(String tensor) {
        return Arrays.stream(types.get(tensor).shape().toArray()).boxed().toList();
    }
}
