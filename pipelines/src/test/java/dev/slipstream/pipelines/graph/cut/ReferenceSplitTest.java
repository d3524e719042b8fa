package dev.slipstream.pipelines.graph.cut;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.ReferenceModels;
import java.io.IOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The reference implementation's own cuts of whole denoisers, exported by torch.onnx. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Tag("slow")
class ReferenceSplitTest {
    private static final Set<String> LAGGABLE = Set.of("sample");
    /** The last operator of a residual block, an attention, a sampler, or the first convolution. */
    private static final Pattern MODULE_OUTPUT = Pattern.compile("/conv_in/Conv_output_0"
        + "|/(down_blocks\\.\\d|mid_block|up_blocks\\.\\d)/"
        + "(resnets\\.\\d/Div|attentions\\.\\d/Add|(down|up)samplers\\.0/conv/Conv)_output_0");
    /** The batch size, which the exporter asks of the latents; folding removes it where the shape is fixed. */
    private static final String SHAPE_OF_SAMPLE = "/Shape_output_0";

    private final OnnxRunner runner = new OnnxRunner();
    private final Map<String, Graph> graphs = new HashMap<>();
    private final Map<String, float[]> results = new HashMap<>();

    @ParameterizedTest
    @CsvSource({"sd21, 2, c0 c1", "sd21, 3, c0 c1 c2", "sd21, 4, c0 c1 c2 c3", "sdxl, 2, c1.0 c0 c1.1",
        "sdxl, 3, c2.0 c0 c1 c2.1", "sdxl, 4, c3.0 c0 c1 c2 c3.1"})
    void hasAsFewSegmentsAsTheTableAllows(String model, int components, String names) throws IOException {
        Partition partition = split(model, components);

        assertEquals(List.of(names.split(" ")), partition.segments().stream().map(Segment::name).toList());
    }

    @ParameterizedTest
    @CsvSource({"sd21, 2", "sd21, 3", "sd21, 4", "sdxl, 2", "sdxl, 3", "sdxl, 4"})
    void onlyOutputsOfModulesGoFromSegmentToSegment(String model, int components) throws IOException {
        Partition partition = split(model, components);

        List<String> others = partition.edges().stream()
            .filter(edge -> !MODULE_OUTPUT.matcher(edge).matches()).toList();
        assertEquals(List.of(SHAPE_OF_SAMPLE), others);
        assertTrue(partition.consumers("sample").stream().allMatch(segment ->
            segment.graph().nodes().stream().anyMatch(node -> node.getName().equals("/conv_in/Conv"))));
    }

    @ParameterizedTest
    @CsvSource({"sd21, 2", "sd21, 3", "sd21, 4", "sdxl, 2", "sdxl, 3", "sdxl, 4"})
    void segmentsRunInOrderEqualTheWholeBitForBit(String model, int components) throws IOException, OrtException {
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, runner);
        if (!results.containsKey(model)) {
            results.put(model, OnnxRunner.floats(runner.run(graph(model), inputs).get("out_sample")));
        }

        float[] parts = OnnxRunner.floats(runner.run(split(model, components), inputs).get("out_sample"));

        assertArrayEquals(results.get(model), parts);
    }

    @ParameterizedTest
    @CsvSource({"sd21, 3", "sdxl, 3"})
    void segmentsOptimisedByThemselvesStayCloseToTheWhole(String model, int components)
        throws IOException, OrtException {
        OnnxRunner optimising = new OnnxRunner(OptLevel.ALL_OPT);
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, runner);

        float[] whole = OnnxRunner.floats(optimising.run(graph(model), inputs).get("out_sample"));
        float[] parts = OnnxRunner.floats(optimising.run(split(model, components), inputs).get("out_sample"));

        assertArrayEquals(whole, parts, 1e-5f);
    }

    private Graph graph(String model) {
        return graphs.computeIfAbsent(model, ReferenceModels::graph);
    }

    private Partition split(String model, int components) throws IOException {
        String config = Files.readString(ReferenceModels.folder(model).resolve("config.json"));
        JsonObject json = JsonParser.parseString(config).getAsJsonObject();
        return Splitter.split(graph(model), Cuts.reference(json, components).orElseThrow(), LAGGABLE);
    }
}
