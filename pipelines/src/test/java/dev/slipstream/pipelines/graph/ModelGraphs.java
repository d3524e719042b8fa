package dev.slipstream.pipelines.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Graphs of test models held in memory, and back. */
public final class ModelGraphs {
    private ModelGraphs() {
    }

    public static Graph graph(ModelProto model) {
        GraphProto graph = model.getGraph();
        Map<String, TensorProto> weights = new LinkedHashMap<>();
        graph.getInitializerList().forEach(weight -> weights.put(weight.getName(), weight));
        return new Graph(model.toBuilder().clearGraph().build(), Optional.empty(), graph.getInputList(),
            graph.getOutputList(), graph.getNodeList(), weights);
    }

    public static ModelProto model(Graph graph) {
        GraphProto.Builder inner = GraphProto.newBuilder().setName("test").addAllInput(graph.inputs())
            .addAllOutput(graph.outputs()).addAllNode(graph.nodes()).addAllInitializer(graph.weights().values());
        return graph.header().toBuilder().setGraph(inner).build();
    }
}
