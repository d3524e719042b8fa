package dev.slipstream.pipelines.model.kind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.FractionalTimesteps;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.ReferenceModels;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.fusion.AttentionFusion;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.ShapingInputs;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKind.ComponentGraph;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Graphs written from checkpoints against what PyTorch computes with them. */
class ReferenceComponentsTest {
    private static final double TOLERANCE = 1e-4;

    private final OnnxRunner runner = new OnnxRunner(OptLevel.ALL_OPT);

    /** @param fused attentions that CPU devices compute in one operator each */
    @ParameterizedTest
    @CsvSource({"t5, , 3", "t5_masked, , 3", "vae_flux, , 2", "vae_tiny, , 0", "vae_svd, , 2", "clip_vision, , 3",
        "controlnet, , 14", "unet_controlled, , 32", "unet_svd, , 8", "unet_motion, , 22",
        "motion_adapter, motion_base, 22", "motion_base, , 8"})
    void agreesWithPyTorch(String name, String baseName, int fused) throws OrtException {
        Path folder = ReferenceModels.component(name);
        Optional<Path> base = Optional.ofNullable(baseName).map(ReferenceModels::component);
        Checkpoint checkpoint = base.map(it -> Checkpoint.open(folder).with(Checkpoint.open(it)))
            .orElseGet(() -> Checkpoint.open(folder));
        ConfigFile config = ConfigFile.read(folder.resolve("config.json"));
        try (SafetensorsFile given = SafetensorsFile.open(folder.resolve("inputs.safetensors"));
            SafetensorsFile expected = SafetensorsFile.open(folder.resolve("expected.safetensors"))) {
            GraphOptions usual = GraphOptions.withInputs(given.tensors().keySet());
            GraphOptions options = base.map(it -> usual.withBase(ConfigFile.read(it.resolve("config.json"))))
                .orElse(usual);
            Set<String> compared = new HashSet<>();
            Set<String> ignored = new HashSet<>(checkpoint.weights().keySet());
            int attentions = 0;
            for (ComponentGraph part : ComponentKinds.of(config).graphs()) {
                BuiltGraph built = part.write(config, checkpoint, options);
                ignored.retainAll(built.ignored());
                Graph fixed = fixed(built.graph(), given);
                attentions += fusedAttentions(fixed);
                compared.addAll(compare(part, config, fixed, given, expected));
            }
            assertEquals(Set.of(), ignored);
            assertEquals(expected.tensors().keySet(), compared);
            assertEquals(fused, attentions);
        }
    }

    /** The graph for the sizes that are given, as commands and pipelines fix it. */
    private static Graph fixed(Graph graph, SafetensorsFile given) {
        Graph fractional = graph.isInput("timestep") ? FractionalTimesteps.allow(graph, "timestep") : graph;
        Map<String, List<Long>> shaping = new LinkedHashMap<>();
        ShapingInputs.of(fractional).forEach(input -> shaping.put(input, List.of(integer(given.tensor(input), 0))));
        Graph bound = ShapingInputs.bind(fractional, shaping);
        Map<String, TensorType> types = new LinkedHashMap<>();
        for (ValueInfoProto input : bound.inputs()) {
            types.put(input.getName(),
                new TensorType(InputTypes.element(input), given.tensor(input.getName()).shape()));
        }
        return StaticShapes.fix(bound, types);
    }

    private static int fusedAttentions(Graph fixed) {
        return (int) AttentionFusion.fuse(fixed).nodes().stream()
            .filter(node -> node.getOpType().equals("MultiHeadAttention")).count();
    }

    private Set<String> compare(ComponentGraph part, ConfigFile config, Graph graph, SafetensorsFile given,
        SafetensorsFile expected) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        for (ValueInfoProto input : graph.inputs()) {
            StoredTensor tensor = given.tensor(input.getName());
            inputs.put(input.getName(), InputTypes.element(input) == DataType.INT64
                ? runner.tensor(IntStream.range(0, (int) tensor.shape().elements())
                    .mapToLong(i -> integer(tensor, i)).toArray(), tensor.shape().toArray())
                : runner.tensor(floats(tensor), tensor.shape().toArray()));
        }
        Map<String, OnnxTensor> made = runner.run(graph, inputs);
        Set<String> compared = new HashSet<>();
        List<String> tensors = graph.outputs().stream().map(ValueInfoProto::getName).toList();
        for (NamedOutput output : part.outputs().of(config, tensors)) {
            if (expected.tensors().containsKey(output.name())) {
                OnnxTensor tensor = made.get(output.tensor());
                TensorType type = TensorType.of(DataType.FLOAT32, tensor.getInfo().getShape());
                StoredTensor read = output.reading().read(type, Arena.ofAuto().allocateFrom(ValueLayout.JAVA_FLOAT,
                    OnnxRunner.floats(tensor)));
                assertClose(output.name(), expected.tensor(output.name()), read);
                compared.add(output.name());
            }
        }
        return compared;
    }

    private static float[] floats(StoredTensor tensor) {
        if (tensor.type().dataType().orElseThrow() != DataType.INT64) {
            return tensor.toFloats();
        }
        float[] floats = new float[(int) tensor.shape().elements()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = integer(tensor, i);
        }
        return floats;
    }

    private static long integer(StoredTensor tensor, long index) {
        return tensor.data().get(ValueLayout.JAVA_LONG_UNALIGNED, index * Long.BYTES);
    }

    private static void assertClose(String name, StoredTensor expected, StoredTensor actual) {
        assertEquals(expected.shape(), actual.shape(), name);
        float[] wanted = expected.toFloats();
        float[] made = actual.toFloats();
        for (int i = 0; i < wanted.length; i++) {
            int at = i;
            assertTrue(Math.abs(wanted[i] - made[i]) <= TOLERANCE,
                () -> name + " at " + at + " is " + made[at] + ", expected " + wanted[at]);
        }
    }
}
