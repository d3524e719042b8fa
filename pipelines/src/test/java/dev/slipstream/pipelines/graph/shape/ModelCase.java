package dev.slipstream.pipelines.graph.shape;


import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.Nodes;
import dev.slipstream.pipelines.graph.tensor.ValueType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** A whole model at one size. @param file below the folder beside the repository; empty for a graph of our own */
record ModelCase(String file, Map<String, Long> sizes) {
    private static final String OWN = "";

    /** Models at two sizes each, none of them square. */
    static Stream<ModelCase> all() {
        List<ModelCase> cases = new ArrayList<>();
        for (String denoiser : List.of("sd21", "sdxl")) {
            cases.add(denoiser(denoiser, 2, 16, 24, 7));
            cases.add(denoiser(denoiser, 1, 32, 8, 5));
        }
        for (String small : List.of("sample-model/unet.fp16.onnx", "sample-model/text_encoder.onnx")) {
            cases.add(new ModelCase(small, Map.of("batch_size", 2L)));
            cases.add(new ModelCase(small, Map.of("batch_size", 3L)));
        }
        cases.add(new ModelCase(OWN, Map.of("batch", 2L, "height", 3L, "width", 5L)));
        cases.add(new ModelCase(OWN, Map.of("batch", 1L, "height", 12L, "width", 10L)));
        return cases.stream();
    }

    private static ModelCase denoiser(String name, long batch, long height, long width, long length) {
        return new ModelCase("reference/" + name + "/unet/model.onnx", Map.of("batch_size", batch, "num_channels", 4L,
            "height", height, "width", width, "sequence_length", length));
    }

    /** The model; the test is skipped where its file is not. */
    Graph graph() {
        if (file.equals(OWN)) {
            return DynamicAttention.graph();
        }
        return GraphFile.read(ReferenceFiles.orSkip(file));
    }

    Map<String, TensorType> inputTypes(Graph graph) {
        return InputTypes.of(graph, sizes);
    }

    Map<String, Value> inputs(Graph graph) {
        Map<String, Value> inputs = new LinkedHashMap<>();
        inputTypes(graph).forEach((name, type) -> inputs.put(name, Value.random(ValueType.of(type), inputs.size())));
        return inputs;
    }

    /** Every tensor that a node of the graph makes, by running the graph with all of them as outputs. */
    Map<String, Value> allTensors(Graph graph) throws OrtException {
        List<ValueInfoProto> outputs = graph.nodes().stream().flatMap(node -> Nodes.writes(node).stream())
            .map(name -> ValueInfoProto.newBuilder().setName(name).build()).toList();
        Graph open = graph.with(graph.inputs(), outputs, graph.nodes(), graph.weights());
        return Oracle.run(GraphProtos.write(open), inputs(graph));
    }

    @Override
    public String toString() {
        return (file.equals(OWN) ? "own graph" : file) + " " + sizes;
    }
}
