package dev.slipstream.pipelines.graph.pipe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.pipe.PipeNetwork.Picture;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.graph.precision.PrecisionRewrite;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Parts and patches against the whole, given keys, values and text of the same latents. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PipeNetworkTest {
    private static final float TOLERANCE = 1e-5f;
    private static final String SAMPLE = "hidden_states";
    private static final long ROWS = 8;

    private final OnnxRunner runner = new OnnxRunner();
    private final Map<String, Graph> graphs = new HashMap<>();

    @ParameterizedTest
    @CsvSource({"pixart, graph, 1, 2", "pixart, graph, 2, 3", "pixart, graph, 3, 4", "pixart, graph, 4, 2",
        "sd3, graph, 4, 3", "flux, graph, 4, 3", "pixart, checkpoint, 2, 3",
        "pixart, checkpoint, 3, 2", "pixart, checkpoint, 1, 4", "sd3, graph, 1, 3", "sd3, graph, 2, 2",
        "sd3, graph, 3, 4", "sd3, checkpoint, 2, 4", "sd3, checkpoint, 3, 3", "flux, graph, 1, 2", "flux, graph, 2, 3",
        "flux, graph, 3, 4", "flux, checkpoint, 2, 2", "flux, checkpoint, 3, 3", "sd35, checkpoint, 2, 3",
        "sd35, graph, 2, 3", "dit, checkpoint, 2, 3", "dit, graph, 2, 3"})
    void everyPatchOfEveryPartMakesWhatTheWholeDoes(String model, String form, int parts, int patches)
        throws OrtException {
        Graph graph = graph(model, form);
        PipeNetwork network = network(graph, model, parts, patches);
        Map<String, OnnxTensor> values = inputs(graph);
        values.putAll(runner.run(network.division().graph(), values));
        for (Segment segment : network.whole()) {
            values.putAll(runner.run(segment.graph(), values));
        }
        String prediction = graph.outputs().getFirst().getName();
        float[] expected = OnnxRunner.floats(runner.run(graph, values).get(prediction));
        assertArrayEquals(expected, OnnxRunner.floats(values.get(prediction)), TOLERANCE);
        int compared = 0;

        for (int patch = 0; patch < network.patches().size(); patch++) {
            for (List<Segment> part : network.parts()) {
                Map<String, OnnxTensor> made = runner.run(part.get(patch).graph(), values);
                for (Map.Entry<String, OnnxTensor> output : made.entrySet()) {
                    if (values.containsKey(output.getKey())) {
                        assertArrayEquals(OnnxRunner.floats(values.get(output.getKey())),
                            OnnxRunner.floats(output.getValue()), TOLERANCE, output.getKey());
                        compared++;
                    }
                }
                values.putAll(made);
            }
        }
        float[] assembled = OnnxRunner.floats(runner.run(network.assembly().graph(), values).get(prediction));

        assertArrayEquals(expected, assembled, TOLERANCE);
        assertTrue(compared >= 2 * network.patches().size() * 2, "keys and values of each block were compared");
    }

    @Test
    void aGraphInHalfPrecisionIsDividedAsWell() throws OrtException {
        Graph graph = new PrecisionRewrite(Precision.FP16).apply(graph("sd3", "checkpoint"));
        PipeNetwork network = network(graph, "sd3", 2, 3);
        Map<String, OnnxTensor> values = inputs(graph);
        String prediction = graph.outputs().getFirst().getName();
        float[] expected = OnnxRunner.floats(runner.run(graph, values).get(prediction));
        values.putAll(runner.run(network.division().graph(), values));
        for (Segment segment : network.whole()) {
            values.putAll(runner.run(segment.graph(), values));
        }
        values.remove(prediction);

        for (int patch = 0; patch < network.patches().size(); patch++) {
            for (List<Segment> part : network.parts()) {
                values.putAll(runner.run(part.get(patch).graph(), values));
            }
        }

        assertArrayEquals(expected,
            OnnxRunner.floats(runner.run(network.assembly().graph(), values).get(prediction)), 0.02f);
    }

    private PipeNetwork network(Graph graph, String model, int parts, int patches) {
        return PipeNetwork.of(graph, new Picture(SAMPLE, model.equals("flux") ? 1 : 2, ROWS), parts, patches);
    }

    private Graph graph(String model, String form) {
        return graphs.computeIfAbsent(model + form, key -> {
            Path folder = List.of("sd35", "dit").contains(model) ? ReferenceFiles.orSkip("reference", model,
                "transformer") : ReferenceFiles.orSkip("reference-patches", "pipefusion", model, "transformer");
            Graph graph = form.equals("graph") ? GraphFile.read(folder.resolve("model.onnx")) : written(folder);
            Map<String, Long> sizes = Map.of("batch_size", model.equals("flux") ? 1L : 2L, "sequence_length",
                model.equals("flux") ? 9L : 5L, "image_tokens", ROWS * ROWS, "tokens", ROWS * ROWS, "height",
                2 * ROWS, "width", 2 * ROWS);
            return StaticShapes.fix(graph, InputTypes.of(graph, sizes,
                form.equals("graph") ? Map.of() : Map.of("timestep", Shape.of(1))));
        });
    }

    private static Graph written(Path folder) {
        ConfigFile config = ConfigFile.read(folder.resolve("config.json"));
        return ComponentKinds.of(config).write(config, Checkpoint.open(folder), GraphOptions.NONE).graph();
    }

    private Map<String, OnnxTensor> inputs(Graph graph) throws OrtException {
        Random random = new Random(5);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        Map<String, TensorType> types = InputTypes.of(graph, Map.of());
        for (Map.Entry<String, TensorType> input : types.entrySet()) {
            int elements = Math.toIntExact(input.getValue().shape().elements());
            long[] dims = input.getValue().shape().toArray();
            switch (input.getValue().type()) {
                case INT64 -> inputs.put(input.getKey(), runner.tensor(random.longs(elements, 0, 2).toArray(), dims));
                default -> {
                    float[] values = new float[elements];
                    for (int i = 0; i < elements; i++) {
                        values[i] = (float) (input.getKey().endsWith("ids") ? i % 7 : random.nextGaussian());
                    }
                    inputs.put(input.getKey(), runner.tensor(values, dims));
                }
            }
        }
        return inputs;
    }

    @Test
    void rowsAreDividedSoThatTheLastPatchHasWhatIsLeft() {
        assertEquals(List.of(3L, 3L, 2L), Patch.of(8, 3).stream().map(Patch::rows).toList());
        assertEquals(List.of(2L, 2L, 2L, 2L), Patch.of(8, 4).stream().map(Patch::rows).toList());
        assertEquals(List.of(2L, 2L, 2L, 2L), Patch.of(8, 5).stream().map(Patch::rows).toList());
    }

    @ParameterizedTest
    @CsvSource({"pixart", "sd3", "flux"})
    void onlyHiddenStatesAndTheTextGoFromPartToPart(String model) {
        PipeNetwork network = network(graph(model, "graph"), model, 3, 4);
        List<String> first = network.parts().getFirst().getFirst().outputs();
        List<String> later = network.parts().getFirst().getLast().outputs();

        assertEquals(model.equals("pixart") ? 1 : 2, crossing(network, first).size());
        assertEquals(1, crossing(network, later).size());
    }

    private static List<String> crossing(PipeNetwork network, List<String> outputs) {
        var read = network.parts().get(1).stream().flatMap(segment -> segment.inputs().stream())
            .collect(Collectors.toSet());
        return outputs.stream().filter(read::contains).toList();
    }

    @Test
    void tooManyPartsAreRefusedWithTheNumberOfBlocks() {
        Graph graph = graph("pixart", "graph");

        String message = assertThrows(GraphException.class, () -> network(graph, "pixart", 8, 2)).getMessage();

        assertTrue(message.contains("6 blocks"), message);
    }

    @Test
    void aNodeThatMixesTokensIsNamed() {
        Graph open = GraphFile.read(ReferenceFiles.orSkip("reference", "sd21", "unet", "model.onnx"));
        Graph unet = StaticShapes.fix(open, InputTypes.of(open, Map.of("batch_size", 1L, "num_channels", 4L, "height",
            16L, "width", 16L, "sequence_length", 5L)));

        String message = assertThrows(GraphException.class,
            () -> PipeNetwork.of(unet, new Picture("sample", 2, ROWS), 1, 2)).getMessage();

        assertTrue(message.contains("/conv_in/Conv"), message);
        assertTrue(message.contains("neighbours"), message);
    }
}
