package dev.slipstream.pipelines.graph.patch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.graph.patch.Patching.Axis;
import dev.slipstream.pipelines.graph.patch.Patching.Norms;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.model.unet.UNet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Patches of real denoisers, exported by torch.onnx and written from checkpoints, that read what is fresh. */
class PatchedNetworkTest {
    private static final int TEXT = 7;

    private final OnnxRunner runner = new OnnxRunner();

    private static Patching patching(int patches, Axis axis, Norms norms) {
        return new Patching(patches, axis, norms, OptionalDouble.empty(), false);
    }

    private static Graph fixed(Graph graph, long height, long width) {
        Map<String, Shape> shapes = new HashMap<>(Map.of("sample", Shape.of(2, 4, height, width),
            "timestep", timestep(graph), "encoder_hidden_states", Shape.of(2, TEXT, 32)));
        if (graph.isInput("text_embeds")) {
            shapes.put("text_embeds", Shape.of(2, 16));
            shapes.put("time_ids", Shape.of(2, 6));
        }
        return StaticShapes.fix(graph, InputTypes.of(graph, Map.of(), shapes));
    }

    private static PatchedNetwork network(Graph graph, long height, long width, Patching patching) {
        boolean rows = patching.axis() == Axis.ROWS;
        return PatchedNetwork.of(fixed(graph, height, width), fixed(graph, rows ? height / patching.patches() : height,
            rows ? width : width / patching.patches()), patching);
    }

    private Map<String, OnnxTensor> random(Graph graph) throws OrtException {
        Random random = new Random(5);
        Map<String, OnnxTensor> values = new HashMap<>();
        for (ValueInfoProto input : graph.inputs()) {
            long[] dims = input.getType().getTensorType().getShape().getDimList().stream()
                .mapToLong(dim -> dim.getDimValue()).toArray();
            if (input.getName().equals("timestep")) {
                values.put("timestep", runner.tensor(new long[] {481}, dims));
                continue;
            }
            float[] numbers = new float[(int) Shape.of(dims).elements()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) random.nextGaussian();
            }
            values.put(input.getName(), runner.tensor(numbers, dims));
        }
        return values;
    }

    private static Shape timestep(Graph graph) {
        return graph.inputs().stream().filter(input -> input.getName().equals("timestep"))
            .noneMatch(input -> input.getType().getTensorType().hasShape()
                && input.getType().getTensorType().getShape().getDimCount() == 0) ? Shape.of(1) : Shape.of();
    }

    /** All patches on what the whole gave them, put together. */
    private float[] together(PatchedNetwork network, Map<String, OnnxTensor> inputs) throws OrtException {
        Map<String, OnnxTensor> taps = new HashMap<>(inputs);
        taps.putAll(runner.run(network.whole(), inputs));
        network.former().forEach((input, tensor) -> taps.put(input, taps.get(tensor)));
        Map<String, OnnxTensor> parts = new HashMap<>();
        for (Graph patch : network.patches()) {
            parts.putAll(runner.run(patch, taps));
        }
        return OnnxRunner.floats(runner.run(network.assembly(), parts).get("out_sample"));
    }

    private static Graph graph(String model, boolean written) {
        return written ? UNet.read(ReferenceModels.folder(model)).graph() : ReferenceModels.graph(model);
    }

    @ParameterizedTest
    @CsvSource({"sd21, false, 16, 16, 2, ROWS, CORRECTED", "sd21, true, 32, 16, 4, ROWS, CORRECTED",
        "sdxl, false, 16, 16, 4, ROWS, EXCHANGED", "sdxl, true, 16, 24, 2, ROWS, CORRECTED",
        "sd21, true, 16, 16, 2, COLUMNS, CORRECTED", "sdxl, false, 8, 16, 4, COLUMNS, EXCHANGED"})
    void patchesThatReadWhatIsFreshEqualTheWhole(String model, boolean written, long height, long width, int patches,
        Axis axis, Norms norms) throws OrtException {
        Graph graph = graph(model, written);
        PatchedNetwork network = network(graph, height, width, patching(patches, axis, norms));
        Map<String, OnnxTensor> inputs = random(network.whole());

        float[] expected = OnnxRunner.floats(runner.run(fixed(graph, height, width), inputs).get("out_sample"));

        assertEquals(patches, network.patches().size());
        assertArrayEquals(expected, OnnxRunner.floats(runner.run(network.whole(), inputs).get("out_sample")), 1e-5f);
        assertArrayEquals(expected, together(network, inputs), 1e-5f);
    }

    /** The factor is that of a patch in both, so they still agree. */
    @ParameterizedTest
    @CsvSource({"sd21, CORRECTED", "sdxl, EXCHANGED"})
    void patchesWithBesselsFactorEqualTheWholeWithIt(String model, Norms norms) throws OrtException {
        PatchedNetwork network = network(graph(model, true), 16, 16,
            new Patching(2, Axis.ROWS, norms, OptionalDouble.empty(), true));
        Map<String, OnnxTensor> inputs = random(network.whole());
        assertArrayEquals(OnnxRunner.floats(runner.run(network.whole(), inputs).get("out_sample")),
            together(network, inputs), 1e-5f);
    }

    /** Tensors and nodes cost time by themselves. */
    @Test
    void statisticsOfAllNormsAreOneTensorAndANormFewNodes() {
        PatchedNetwork network = network(graph("sd21", false), 16, 16, patching(2, Axis.ROWS, Norms.CORRECTED));
        Graph patch = network.patches().getFirst();
        assertEquals(List.of("norms:former-statistics@0", "norms:statistics@1"), patch.inputs().stream()
            .map(ValueInfoProto::getName).filter(name -> name.contains("statistics")).sorted().toList());
        assertEquals(List.of("norms:statistics@0"), patch.outputs().stream().map(ValueInfoProto::getName)
            .filter(name -> name.contains("statistics")).toList());
        Graph alone = network(graph("sd21", false), 16, 16, patching(2, Axis.ROWS, Norms.SEPARATE)).patches()
            .getFirst();
        long norms = alone.nodes().stream().filter(node -> node.getOpType().equals("InstanceNormalization")).count();
        assertTrue(patch.nodes().size() <= alone.nodes().size() + 15 * norms, patch.nodes().size() + " nodes, not "
            + alone.nodes().size() + " and 15 for each of " + norms + " norms");
    }

    @ParameterizedTest
    @CsvSource({"sd21, 2", "sdxl, 4"})
    void whatOnePatchWritesIsWhatTheWholeWritesForIt(String model, int patches) throws OrtException {
        PatchedNetwork network = network(graph(model, true), 16, 16, patching(patches, Axis.ROWS, Norms.EXCHANGED));
        Map<String, OnnxTensor> inputs = random(network.whole());
        Map<String, OnnxTensor> taps = runner.run(network.whole(), inputs);
        Map<String, OnnxTensor> known = new HashMap<>(inputs);
        known.putAll(taps);
        int compared = 0;
        for (Graph patch : network.patches()) {
            for (Map.Entry<String, OnnxTensor> made : runner.run(patch, known).entrySet()) {
                if (taps.containsKey(made.getKey())) {
                    assertArrayEquals(OnnxRunner.floats(taps.get(made.getKey())), OnnxRunner.floats(made.getValue()),
                        2e-5f, made.getKey());
                    compared++;
                }
            }
        }
        assertEquals(taps.size() - 1, compared);
    }

    private static TensorType type(Graph graph, String tensor) {
        return ValueInfos.typesOf(graph.inputs()).get(tensor);
    }

    @Test
    void aPortionIsThatOfTheNeighboursAlone() {
        Patching portion = new Patching(4, Axis.ROWS, Norms.SEPARATE, OptionalDouble.of(0.3), false);
        PatchedNetwork network = network(graph("sdxl", true), 16, 16, portion);
        List<String> keys = network.patches().get(1).inputs().stream().map(ValueInfoProto::getName)
            .filter(name -> name.contains("keys")).toList();
        assertTrue(keys.stream().allMatch(name -> name.endsWith(":last-keys@0") || name.endsWith(":first-keys@2")));
        // Of 16 tokens 5 above and 4 below, and of 4 tokens 2 and 1.
        assertEquals(List.of(1L, 2L, 4L, 5L), keys.stream()
            .map(name -> type(network.patches().get(1), name).shape().dim(1)).distinct().sorted().toList());
        assertTrue(network.patches().get(0).inputs().stream().map(ValueInfoProto::getName)
            .noneMatch(name -> name.contains("@2") || name.contains("@3") || name.contains("statistics")));
    }

    @Test
    void whatLooksAtAllRowsOtherwiseIsRefusedByName() {
        Graph graph = new GraphSketch().input("sample", 1, 4, -1, 8).output("y", 1, 4, -1, 8)
            .node("GlobalAveragePool", "/pool/GlobalAveragePool", List.of("sample"), "mean")
            .node("Mul", "/gate/Mul", List.of("sample", "mean"), "y").build();
        Graph whole = StaticShapes.fix(graph, InputTypes.of(graph, Map.of("batch", 8L)));
        Graph part = StaticShapes.fix(graph, InputTypes.of(graph, Map.of("batch", 4L)));
        String message = assertThrows(GraphException.class, () -> PatchedNetwork.of(whole, part,
            patching(2, Axis.ROWS, Norms.CORRECTED))).getMessage();
        assertTrue(message.contains("/pool/GlobalAveragePool"), message);
    }
}
