package dev.slipstream.pipelines.model.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.fusion.AttentionFusion;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.graph.precision.PrecisionRewrite;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Transformers written from checkpoints against graphs of the same weights that torch.onnx exported. */
@Tag("slow")
class TransformerReferenceTest {
    private static final String EXPORTED = "out_sample";
    private static final String WRITTEN = "out_hidden_states";

    private final OnnxRunner optimising = new OnnxRunner(OptLevel.ALL_OPT);
    private final OnnxRunner plain = new OnnxRunner();

    private static Path folder(String model) {
        return ReferenceFiles.orSkip("reference", model, "transformer");
    }

    private static ConfigFile config(String model) {
        return ConfigFile.read(folder(model).resolve("config.json"));
    }

    private static BuiltGraph written(String model) {
        return ComponentKinds.of(config(model)).write(config(model), Checkpoint.open(folder(model)),
            GraphOptions.NONE);
    }

    private static Graph exported(String model) {
        return GraphFile.read(folder(model).resolve("model.onnx"));
    }

    /** Types of the exported graph's inputs; timesteps are float32 in those that are written. */
    private static Map<String, TensorType> types(Graph graph, long rows, long height, long width, long words) {
        return InputTypes.of(graph, Map.of("batch_size", rows, "height", height, "width", width, "sequence_length",
            words, "tokens", height * width));
    }

    private Map<String, OnnxTensor> inputs(Map<String, TensorType> types, long width) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Random random = new Random(7);
        for (Map.Entry<String, TensorType> input : types.entrySet()) {
            long[] dims = input.getValue().shape().toArray();
            int count = Math.toIntExact(input.getValue().shape().elements());
            float[] numbers = new float[count];
            for (int i = 0; i < count; i++) {
                numbers[i] = switch (input.getKey()) {
                    case "timestep" -> types.containsKey("img_ids") ? 0.7f : 481;
                    case "guidance" -> 3.5f;
                    case "class_labels" -> 11 + i;
                    case "encoder_attention_mask" -> i % 3 == 1 ? 0 : 1;
                    case "img_ids" -> i % 3 == 0 ? 0 : i % 3 == 1 ? i / 3 / width : i / 3 % width;
                    case "txt_ids" -> 0;
                    default -> (float) random.nextGaussian();
                };
            }
            inputs.put(input.getKey(), tensor(input.getValue().type(), numbers, dims));
        }
        return inputs;
    }

    private OnnxTensor tensor(DataType type, float[] numbers, long... dims) throws OrtException {
        if (type == DataType.FLOAT32) {
            return plain.tensor(numbers, dims);
        }
        long[] whole = new long[numbers.length];
        for (int i = 0; i < whole.length; i++) {
            whole[i] = (long) numbers[i];
        }
        return plain.tensor(whole, dims);
    }

    private Map<String, OnnxTensor> withRealTimestep(Map<String, OnnxTensor> inputs) throws OrtException {
        Map<String, OnnxTensor> changed = new HashMap<>(inputs);
        long rows = inputs.get("timestep").getInfo().getShape()[0];
        float[] steps = new float[(int) rows];
        boolean flux = inputs.containsKey("img_ids");
        Arrays.fill(steps, flux ? 0.7f : 481);
        changed.put("timestep", plain.tensor(steps, rows));
        return changed;
    }

    @ParameterizedTest
    @CsvSource({"sd3, 3, 2, 16, 1", "sd35, 2, 12, 8, 9", "sd35, 1, 24, 24, 3", "sd35, 1, 4, 22, 5",
        "flux, 1, 6, 8, 9", "pixart, 3, 12, 16, 4", "dit, 1, 16, 16, 0"})
    void agreesWithTheExportedGraph(String model, long rows, long height, long width, long words)
        throws OrtException {
        Graph graph = exported(model);
        BuiltGraph built = written(model);
        Map<String, OnnxTensor> inputs = inputs(types(graph, rows, height, width, words), width);

        float[] expected = OnnxRunner.floats(optimising.run(graph, inputs).get(EXPORTED));
        float[] optimised = OnnxRunner.floats(optimising.run(built.graph(), withRealTimestep(inputs)).get(WRITTEN));

        assertEquals(List.of(), built.ignored());
        assertClose(expected, optimised, 2e-5);
    }

    /** Every attention becomes one node, masked ones and those in halves too, and computes the same. */
    @ParameterizedTest
    @CsvSource({"sd35, FP32, 8", "flux, FP32, 5", "pixart, FP32, 10", "dit, FP32, 3", "sd35, FP16, 8",
        "flux, FP16, 5", "pixart, FP16, 10", "dit, FP16, 3"})
    void everyAttentionIsFused(String model, Precision precision, int attentions) throws OrtException {
        Map<String, TensorType> given = types(exported(model), 2, model.equals("dit") ? 16 : 12, 16, 5);
        Map<String, OnnxTensor> inputs = withRealTimestep(inputs(given, 16));
        Map<String, TensorType> types = new LinkedHashMap<>(given);
        types.put("timestep", TensorType.of(DataType.FLOAT32, 2));
        Graph fixed = new PrecisionRewrite(precision).apply(StaticShapes.fix(written(model).graph(), types));
        Graph fused = AttentionFusion.fuse(fixed);

        assertEquals(0, count(fused, "Softmax"));
        assertEquals(attentions, count(fused, "MultiHeadAttention"));
        float[] expected = OnnxRunner.floats(plain.run(fixed, inputs).get(WRITTEN));
        assertClose(expected, OnnxRunner.floats(optimising.run(fused, inputs).get(WRITTEN)),
            precision == Precision.FP32 ? 2e-5 : 2e-2);
    }

    /** Those of exporters, too. */
    @Tag("slow")
    @ParameterizedTest
    @CsvSource({"sd3, 24", "sd35, 8", "flux, 5", "pixart, 10", "dit, 3"})
    void everyAttentionOfAnExportedGraphIsFused(String model, int attentions) throws OrtException {
        // That of FLUX takes no other sizes than it was exported with.
        Map<String, TensorType> types = model.equals("flux") ? types(exported(model), 1, 6, 8, 9)
            : types(exported(model), 2, model.equals("dit") ? 16 : 12, 16, 5);
        Map<String, OnnxTensor> inputs = inputs(types, 8);
        Graph fixed = StaticShapes.fix(exported(model), types);
        Graph fused = AttentionFusion.fuse(fixed);

        assertEquals(attentions, count(fused, "MultiHeadAttention"));
        assertClose(OnnxRunner.floats(plain.run(fixed, inputs).get(EXPORTED)),
            OnnxRunner.floats(plain.run(fused, inputs).get(EXPORTED)), 2e-5);
    }

    private static long count(Graph graph, String operator) {
        return graph.nodes().stream().map(NodeProto::getOpType).filter(operator::equals).count();
    }

    @Tag("slow")
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void segmentsOfThePublishedCutEqualTheWholeBitForBit(int components) throws OrtException {
        Map<String, OnnxTensor> inputs = inputs(types(exported("sd3"), 2, 8, 12, 9), 12);
        for (Graph graph : List.of(written("sd3").graph(), exported("sd3"))) {
            String prediction = graph.outputs().getFirst().getName();
            Partition partition = Splitter.split(graph, Cuts.reference(config("sd3").root(), components)
                .orElseThrow(), Set.of("hidden_states"));

            assertEquals(components, partition.segments().size());
            assertArrayEquals(OnnxRunner.floats(plain.run(graph, inputs).get(prediction)),
                OnnxRunner.floats(plain.run(partition, inputs).get(prediction)));
        }
    }

    private static void assertClose(float[] expected, float[] actual, double tolerance) {
        assertEquals(expected.length, actual.length);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        assertTrue(difference <= tolerance * largest, "differs by " + difference + " of " + largest);
    }
}
