package dev.slipstream.pipelines.graph.precision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphProtos;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole denoisers, as torch.onnx exports them. */
@Tag("slow")
class ReferencePrecisionTest {
    private static final Set<String> SAMPLE = Set.of("sample");
    /** A half has 11 significant bits; a network adds up a few roundings. */
    private static final double TOLERANCE = 2e-3;
    private static final String PREDICTION = "out_sample";

    private final OnnxRunner runner = new OnnxRunner();

    private static Graph fixed(String model, Map<String, OnnxTensor> inputs) {
        Graph graph = ReferenceModels.graph(model);
        Map<String, Shape> shapes = new HashMap<>();
        inputs.forEach((name, tensor) -> shapes.put(name, Shape.of(tensor.getInfo().getShape())));
        return StaticShapes.fix(graph, InputTypes.of(graph, Map.of(), shapes));
    }

    private static Graph rewritten(Graph graph, Precision precision) {
        return new PrecisionRewrite(precision).apply(graph);
    }

    private static Partition split(String model, Graph graph, int components) throws IOException {
        String config = Files.readString(ReferenceModels.folder(model).resolve("config.json"));
        JsonObject json = JsonParser.parseString(config).getAsJsonObject();
        return Splitter.split(graph, Cuts.reference(json, components).orElseThrow(), SAMPLE);
    }

    /** Root of the mean square of the differences, in parts of that of the values. */
    private static double relativeDifference(float[] expected, float[] actual) {
        double squares = 0;
        double differences = 0;
        for (int i = 0; i < expected.length; i++) {
            squares += expected[i] * expected[i];
            differences += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        }
        return Math.sqrt(differences / squares);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd21", "sdxl"})
    void halfPrecisionPredictsTheSameUpToItsRounding(String model) throws OrtException {
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, runner);
        Graph graph = fixed(model, inputs);
        float[] exact = OnnxRunner.floats(runner.run(graph, inputs).get(PREDICTION));
        float[] half = OnnxRunner.floats(runner.run(rewritten(graph, Precision.FP16), inputs).get(PREDICTION));

        double relative = relativeDifference(exact, half);
        assertTrue(relative < TOLERANCE, "relative difference " + relative);
        assertTrue(relative > 1e-6, "nothing was rounded");
    }

    /** Less is narrow then, because shape arithmetic hides constants; but it is as right. */
    @ParameterizedTest
    @ValueSource(strings = {"sd21", "sdxl"})
    void modelsWithOpenShapesCanBeRewrittenToo(String model) throws OrtException {
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, runner);
        Graph graph = ReferenceModels.graph(model);
        Graph rewritten = rewritten(graph, Precision.FP16);
        float[] exact = OnnxRunner.floats(runner.run(graph, inputs).get(PREDICTION));
        float[] half = OnnxRunner.floats(runner.run(rewritten, inputs).get(PREDICTION));

        assertTrue(relativeDifference(exact, half) < TOLERANCE);
        assertTrue(rewritten.weightBytes() < 0.51 * graph.weightBytes());
    }

    @ParameterizedTest
    @CsvSource({"sd21, FP16", "sdxl, FP16", "sd21, BF16", "sdxl, BF16"})
    void typesFitAndEveryCastIsNeeded(String model, Precision precision) throws OrtException {
        Graph graph = fixed(model, ReferenceModels.inputs(model, runner));
        Graph rewritten = rewritten(graph, precision);

        Rewritten.assertTypesAreConsistent(rewritten);
        Rewritten.assertNoCastIsRedundant(graph, rewritten);
        assertEquals(GraphProtos.write(rewritten), GraphProtos.write(rewritten(rewritten, precision)));
        assertTrue(rewritten.weightBytes() < 0.51 * graph.weightBytes(), "weights " + rewritten.weightBytes());
        assertEquals(namesBesideCasts(graph), namesBesideCasts(rewritten));
    }

    private static List<String> namesBesideCasts(Graph graph) {
        return graph.nodes().stream().filter(node -> !Rewritten.isCast(node)).map(NodeProto::getName).toList();
    }

    /** The reason why CPU devices refuse bf16. */
    @Test
    void onnxRuntimeCannotRunBrainHalvesOnCpus() throws OrtException {
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs("sd21", runner);
        Graph rewritten = rewritten(fixed("sd21", inputs), Precision.BF16);

        OrtException refused = assertThrows(OrtException.class, () -> runner.run(rewritten, inputs));
        assertTrue(refused.getMessage().contains("bfloat16") || refused.getMessage().contains("implementation"),
            refused.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"sd21, 2", "sd21, 4", "sdxl, 2", "sdxl, 3"})
    void segmentsOfTheRewrittenGraphEqualItUpToItsRounding(String model, int components)
        throws IOException, OrtException {
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, runner);
        Graph rewritten = rewritten(fixed(model, inputs), Precision.FP16);

        float[] whole = OnnxRunner.floats(runner.run(rewritten, inputs).get(PREDICTION));
        Partition partition = split(model, rewritten, components);
        float[] parts = OnnxRunner.floats(runner.run(partition, inputs).get(PREDICTION));

        // Where it has no kernel for halves, ONNX Runtime computes in float32 and only rounds what leaves the graph.
        assertTrue(relativeDifference(whole, parts) < TOLERANCE);
    }

    @ParameterizedTest
    @CsvSource({"sd21, 2", "sd21, 4", "sdxl, 2", "sdxl, 3"})
    void edgesBetweenSegmentsAreTheSameTensorsInHalfTheBytes(String model, int components)
        throws IOException, OrtException {
        Graph graph = fixed(model, ReferenceModels.inputs(model, runner));
        Graph rewritten = rewritten(graph, Precision.FP16);
        Partition narrow = split(model, rewritten, components);
        Map<String, TensorType> types = ValueInfos.types(rewritten);

        assertEquals(split(model, graph, components).edges(), narrow.edges());
        narrow.edges().forEach(edge -> assertEquals(DataType.FLOAT16, types.get(edge).type(), edge));
    }
}
