package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.util.HashSet;
import java.util.Set;

/** From a {@link Graph} to the ONNX message. */
final class ModelWriter {
    private ModelWriter() {
    }

    static ModelProto model(Graph graph) {
        GraphProto.Builder body = graph.header().getGraph().toBuilder()
            .addAllInput(graph.inputs())
            .addAllOutput(graph.outputs())
            .addAllNode(graph.nodes())
            .addAllInitializer(graph.weights().values());
        // Inputs and outputs carry their types themselves; saying it twice is an error to some readers.
        Set<String> said = new HashSet<>();
        graph.inputs().forEach(input -> said.add(input.getName()));
        graph.outputs().forEach(output -> said.add(output.getName()));
        graph.types().forEach((tensor, type) -> {
            if (!said.contains(tensor) && graph.producer(tensor).isPresent()) {
                body.addValueInfo(ValueInfoProto.newBuilder().setName(tensor).setType(type));
            }
        });
        return graph.header().toBuilder().setGraph(body).build();
    }
}
