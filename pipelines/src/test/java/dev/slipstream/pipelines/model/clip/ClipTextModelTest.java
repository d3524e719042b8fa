package dev.slipstream.pipelines.model.clip;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClipTextModelTest {
    private static final int WIDTH = 4;
    private static final int TOKENS = 5;
    private static final double EPSILON = 1e-5;

    private final OnnxRunner runner = new OnnxRunner(OptLevel.ALL_OPT);

    @TempDir
    private Path folder;
    private ConfigFile config;
    private RandomCheckpoint weights;

    @BeforeEach
    void writeConfig() throws IOException {
        config = RandomCheckpoint.config(folder, """
            {"vocab_size": 20, "hidden_size": 4, "intermediate_size": 6, "num_hidden_layers": 2,
             "num_attention_heads": 2, "max_position_embeddings": 7, "projection_dim": 3, "eos_token_id": 19}
            """);
        weights = new RandomCheckpoint(ClipTextModel.weights(config));
    }

    private static List<String> outputs(Graph graph) {
        return graph.outputs().stream().map(ValueInfoProto::getName).toList();
    }

    private float[] run(BuiltGraph built, String output, long... ids) throws OrtException {
        Map<String, OnnxTensor> inputs = Map.of("input_ids", runner.tensor(ids, 1, ids.length));
        return OnnxRunner.floats(runner.run(built.graph(), inputs).get(output));
    }

    @Test
    void nodesAreNamedAfterTheModulesOfTransformers() {
        Set<String> names = ClipTextModel.write(config, weights.write(folder)).graph().nodes().stream()
            .map(NodeProto::getName).collect(Collectors.toSet());

        assertTrue(names.containsAll(List.of("/text_model/embeddings/Gather",
            "/text_model/encoder/layers.1/self_attn/q_proj/MatMul",
            "/text_model/encoder/layers.0/mlp/fc1/MatMul", "/text_model/final_layer_norm/LayerNormalization")),
            names.toString());
    }

    @Test
    void aProjectionFollowsIfItsWeightIsThereAndTheClassIsNotSaid() {
        List<String> plain = List.of("last_hidden_state", "pooler_output", "hidden_states.0", "hidden_states.1",
            "hidden_states.2");
        assertEquals(plain, outputs(ClipTextModel.write(config, weights.write(folder)).graph()));

        weights.with("text_projection.weight", 1, Shape.of(3, WIDTH));
        BuiltGraph projecting = ClipTextModel.write(config, weights.write(folder));

        assertEquals("text_embeds", outputs(projecting.graph()).get(2));
        assertEquals(List.of(), projecting.ignored());
    }

    @Test
    void theClassDecidesWhetherAProjectionFollows() {
        weights.with("text_projection.weight", 1, Shape.of(3, WIDTH));
        config.root().add("architectures", JsonParser.parseString("[\"CLIPTextModel\"]"));

        BuiltGraph built = ClipTextModel.write(config, weights.write(folder));

        assertEquals(List.of("text_projection.weight"), built.ignored());
    }

    @Test
    void skippedLayersLeaveTheFinalNormAndThePooledOutput() throws OrtException {
        long[] ids = {0, 7, 3, 19, 5};
        BuiltGraph whole = ClipTextModel.write(config, weights.write(folder));
        BuiltGraph skipping = ClipTextModel.write(config, weights.write(folder), 1);

        float[] expected = normal(run(whole, "hidden_states.1", ids));

        assertArrayEquals(expected, run(skipping, "last_hidden_state", ids), 1e-4f);
        assertArrayEquals(run(whole, "pooler_output", ids), run(skipping, "pooler_output", ids), 1e-6f);
        assertThrows(IllegalArgumentException.class, () -> ClipTextModel.write(config, weights.write(folder), 2));
    }

    private float[] normal(float[] states) {
        float[] scale = weights.values("text_model.final_layer_norm.weight");
        float[] shift = weights.values("text_model.final_layer_norm.bias");
        float[] result = new float[states.length];
        for (int row = 0; row < states.length; row += WIDTH) {
            double mean = 0;
            double square = 0;
            for (int i = 0; i < WIDTH; i++) {
                mean += states[row + i] / WIDTH;
                square += states[row + i] * states[row + i] / WIDTH;
            }
            double deviation = Math.sqrt(square - mean * mean + EPSILON);
            for (int i = 0; i < WIDTH; i++) {
                result[row + i] = (float) ((states[row + i] - mean) / deviation * scale[i] + shift[i]);
            }
        }
        return result;
    }

    /** What comes later must not change what comes before: that is what the mask is for. */
    @Test
    void aTokenSeesNoneAfterIt() throws OrtException {
        BuiltGraph built = ClipTextModel.write(config, weights.write(folder));

        float[] one = run(built, "last_hidden_state", 1, 2, 3, 4, 5);
        float[] other = run(built, "last_hidden_state", 1, 2, 3, 17, 18);

        assertArrayEquals(Arrays.copyOf(one, 3 * WIDTH), Arrays.copyOf(other, 3 * WIDTH));
    }

    @Test
    void maskAndPositionsAreConstantsOnceTheLengthIsFixed() {
        Graph fixed = StaticShapes.fix(ClipTextModel.write(config, weights.write(folder)).graph(),
            Map.of("input_ids", TensorType.of(DataType.INT64, 2, TOKENS)));

        assertTrue(fixed.nodes().stream().noneMatch(node -> Set.of("Shape", "Expand", "Trilu")
            .contains(node.getOpType())), "shape arithmetic is left");
    }
}
