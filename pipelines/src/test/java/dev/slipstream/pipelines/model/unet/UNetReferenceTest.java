package dev.slipstream.pipelines.model.unet;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Graphs written from checkpoints against those that torch.onnx exported, and against PyTorch's own results. */
class UNetReferenceTest {
    private final OnnxRunner optimising = new OnnxRunner(OptLevel.ALL_OPT);
    private final OnnxRunner plain = new OnnxRunner();

    @ParameterizedTest
    @ValueSource(strings = {"sd21", "sdxl"})
    void agreesWithTheExportedGraphOnRandomInputs(String model) throws OrtException {
        BuiltGraph built = UNet.read(ReferenceModels.folder(model));
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, plain);

        float[] expected = OnnxRunner.floats(plain.run(ReferenceModels.graph(model), inputs).get("out_sample"));
        float[] unoptimised = OnnxRunner.floats(plain.run(built.graph(), inputs).get("out_sample"));
        float[] optimised = OnnxRunner.floats(optimising.run(built.graph(), inputs).get("out_sample"));

        assertEquals(List.of(), built.ignored());
        assertClose(expected, unoptimised);
        assertClose(expected, optimised);
    }

    @ParameterizedTest
    @ValueSource(strings = {"sd21", "sdxl"})
    void hasTheInputsAndOutputsOfTheExportedGraph(String model) {
        Graph written = UNet.read(ReferenceModels.folder(model)).graph();
        Graph exported = ReferenceModels.graph(model);

        assertEquals(exported.inputs().stream().map(it -> it.getName()).sorted().toList(),
            written.inputs().stream().map(it -> it.getName()).sorted().toList());
        assertEquals("out_sample", written.outputs().getFirst().getName());
    }

    /** The published tables cut written graphs into the segments that they cut exported ones into. */
    @ParameterizedTest
    @CsvSource({"sd21, 2, c0 c1", "sd21, 3, c0 c1 c2", "sd21, 4, c0 c1 c2 c3", "sdxl, 2, c1.0 c0 c1.1",
        "sdxl, 3, c2.0 c0 c1 c2.1", "sdxl, 4, c3.0 c0 c1 c2 c3.1"})
    void segmentsOfPublishedCutsEqualTheWholeBitForBit(String model, int components, String names)
        throws OrtException {
        Path folder = ReferenceModels.folder(model);
        Graph graph = UNet.read(folder).graph();
        Partition partition = Splitter.split(graph, Cuts.reference(ConfigFile.read(folder.resolve("config.json"))
            .root(), components).orElseThrow(), Set.of("sample"));
        Map<String, OnnxTensor> inputs = ReferenceModels.inputs(model, plain);

        float[] whole = OnnxRunner.floats(plain.run(graph, inputs).get("out_sample"));
        float[] parts = OnnxRunner.floats(plain.run(partition, inputs).get("out_sample"));

        assertEquals(List.of(names.split(" ")), partition.segments().stream().map(Segment::name).toList());
        assertArrayEquals(whole, parts);
    }

    @Test
    void agreesWithPyTorchOnAnotherShapeOfModel() throws OrtException {
        Path folder = ReferenceModels.component("unet_wide");
        BuiltGraph built = UNet.read(folder);
        assertEquals(List.of(), built.ignored());
        try (SafetensorsFile given = SafetensorsFile.open(folder.resolve("inputs.safetensors"));
            SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expected.safetensors"))) {
            Map<String, OnnxTensor> inputs = new HashMap<>();
            inputs.put("timestep", plain.tensor(new long[] {given.tensor("timestep").data()
                .get(ValueLayout.JAVA_LONG_UNALIGNED, 0)}, 1));
            for (String name : List.of("sample", "encoder_hidden_states")) {
                StoredTensor tensor = given.tensor(name);
                inputs.put(name, plain.tensor(tensor.toFloats(), tensor.shape().toArray()));
            }

            float[] actual = OnnxRunner.floats(optimising.run(built.graph(), inputs).get("out_sample"));

            assertClose(expected.tensor("out_sample").toFloats(), actual);
        }
    }

    private static void assertClose(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        assertTrue(difference <= 1e-5 * largest, "differs by " + difference + " of " + largest);
    }
}
