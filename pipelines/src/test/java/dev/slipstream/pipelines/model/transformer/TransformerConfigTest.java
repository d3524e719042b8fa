package dev.slipstream.pipelines.model.transformer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Configurations of transformers: published ones, small ones with all kinds of options, and wrong ones. */
class TransformerConfigTest {
    private static final String OF_SD3 = "'num_layers': 2, 'num_attention_heads': 2, 'attention_head_dim': 4, "
        + "'caption_projection_dim': 8, 'joint_attention_dim': 6, 'pooled_projection_dim': 5, "
        + "'pos_embed_max_size': 7, 'in_channels': 4, 'out_channels': 3";
    private static final String SD3 = "{'_class_name': 'SD3Transformer2DModel', " + OF_SD3;
    private static final String CONTROL = "{'_class_name': 'SD3ControlNetModel', " + OF_SD3;
    private static final String FLUX = "{'_class_name': 'FluxTransformer2DModel', 'num_layers': 1, "
        + "'num_single_layers': 1, 'num_attention_heads': 2, 'attention_head_dim': 8, 'axes_dims_rope': [2, 2, 4], "
        + "'joint_attention_dim': 6, 'pooled_projection_dim': 5, 'in_channels': 12";
    private static final String PIXART = "{'_class_name': 'PixArtTransformer2DModel', 'num_layers': 2, "
        + "'num_attention_heads': 3, 'attention_head_dim': 4, 'cross_attention_dim': 12, 'caption_channels': 6, "
        + "'sample_size': 8";
    private static final String DIT = "{'_class_name': 'Transformer2DModel', 'norm_type': 'ada_norm_zero', "
        + "'num_layers': 2, 'num_attention_heads': 2, 'attention_head_dim': 4, 'num_embeds_ada_norm': 5, "
        + "'sample_size': 8";

    @TempDir
    private Path folder;

    private static ConfigFile config(String json) {
        return new ConfigFile(Path.of("config.json"), JsonParser.parseString(json.replace('\'', '"'))
            .getAsJsonObject());
    }

    private static Map<String, Shape> weights(String json) {
        return ComponentKinds.of(config(json)).weights(config(json));
    }

    private static long parameters(String json) {
        return weights(json).values().stream().mapToLong(Shape::elements).sum();
    }

    /** Parameters of published models. */
    @Test
    void anEmptyConfigurationOfFluxIsThatOfSchnell() {
        assertEquals(11_891_178_560L, parameters("{'_class_name': 'FluxTransformer2DModel'}"));
        assertEquals(11_901_408_320L, parameters("{'_class_name': 'FluxTransformer2DModel', "
            + "'guidance_embeds': true}"));
    }

    /** @param options take the place of those of the same names */
    private static ConfigFile config(String json, String options) {
        JsonObject all = config(json + "}").root();
        config("{" + options + "}").root().entrySet().forEach(option -> all.add(option.getKey(), option.getValue()));
        return new ConfigFile(Path.of("config.json"), all);
    }

    /** What is stored as bf16 or fp16 gives the same as these numbers stored as fp32. */
    @ParameterizedTest
    @ValueSource(strings = {SD3, CONTROL, FLUX, PIXART, DIT})
    void halvesAreReadAsTheNumbersThatTheyAre(String json) throws OrtException {
        for (StoredType half : List.of(StoredType.BF16, StoredType.F16)) {
            Map<String, float[]> narrow = run(config(json + "}"), half, half, 1);
            Map<String, float[]> wide = run(config(json + "}"), half, StoredType.F32, 1);
            narrow.forEach((name, values) -> assertArrayEquals(wide.get(name), values, 1e-5f, name));
        }
    }

    /** Options and sizes for which there are no expected numbers must at least run, with another result each. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        SD3 + " | 'qk_norm': 'rms_norm'", SD3 + " | 'dual_attention_layers': [0]",
        SD3 + " | 'dual_attention_layers': [1], 'qk_norm': 'rms_norm'", SD3 + " | 'patch_size': 1",
        FLUX + " | 'guidance_embeds': true", FLUX + " | 'out_channels': 4", FLUX + " | 'axes_dims_rope': [4, 2, 2]",
        PIXART + " | 'use_additional_conditions': true", PIXART + " | 'interpolation_scale': 2",
        PIXART + " | 'attention_bias': false", PIXART + " | 'caption_channels': null", DIT + " | 'out_channels': 8",
        DIT + " | 'norm_eps': 0.1"})
    void optionsChangeTheResult(String json, String options) throws OrtException {
        float[] plain = run(config(json + "}"), StoredType.F32, StoredType.F32, 2).get("out_hidden_states");
        float[] changed =
            run(config(json, options), StoredType.F32, StoredType.F32, 2).get("out_hidden_states");

        for (float value : changed) {
            assertTrue(Float.isFinite(value));
        }
        assertFalse(Arrays.equals(plain, changed));
    }

    private Map<String, float[]> run(ConfigFile config, StoredType rounded, StoredType stored, int rows)
        throws OrtException {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        ComponentKinds.of(config).weights(config).forEach((name, shape) -> {
            Random random = new Random(name.hashCode());
            float[] values = new float[Math.toIntExact(shape.elements())];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian() / 3;
            }
            StoredTensor once = StoredTensor.of(rounded, shape, values);
            tensors.put(name, StoredTensor.of(stored, shape, once.toFloats()));
        });
        Path home = folder.resolve(stored + "-" + config.root().hashCode() + "-" + rounded);
        home.toFile().mkdirs();
        SafetensorsWriter.write(home.resolve("diffusion_pytorch_model.safetensors"), tensors, Map.of());
        Graph graph = ComponentKinds.of(config).write(config, Checkpoint.open(home), GraphOptions.NONE).graph();
        Map<String, Long> sizes = Map.of("batch_size", (long) rows, "height", 6L, "width", 4L, "sequence_length", 3L,
            "tokens", 6L);
        Map<String, TensorType> types = InputTypes.of(graph, sizes, Map.of("timestep", Shape.of(rows)));
        Map<String, OnnxTensor> inputs = inputs(types);
        Map<String, float[]> results = new HashMap<>();
        new OnnxRunner().run(StaticShapes.fix(graph, types), inputs)
            .forEach((name, tensor) -> results.put(name, OnnxRunner.floats(tensor)));
        return results;
    }

    private static Map<String, OnnxTensor> inputs(Map<String, TensorType> types) throws OrtException {
        Map<String, OnnxTensor> inputs = new HashMap<>();
        for (Map.Entry<String, TensorType> input : types.entrySet()) {
            Random random = new Random(input.getKey().hashCode());
            int count = Math.toIntExact(input.getValue().shape().elements());
            long[] dims = input.getValue().shape().toArray();
            if (input.getValue().type() == DataType.INT64) {
                inputs.put(input.getKey(), new OnnxRunner().tensor(random.longs(count, 0, 2).toArray(), dims));
            } else {
                float[] values = new float[count];
                for (int i = 0; i < count; i++) {
                    values[i] = (float) random.nextGaussian();
                }
                inputs.put(input.getKey(), new OnnxRunner().tensor(values, dims));
            }
        }
        return inputs;
    }

    /** A ControlNet's residuals serve equally many layers, and are taken by all but the last. */
    @Test
    void residualsAreInputsWhereTheyAreAskedFor() {
        ConfigFile config = config(SD3 + "}");
        Graph graph = ComponentKinds.of(config).write(config, checkpoint(config), GraphOptions.withInputs(Set.of(
            "block_controlnet_hidden_states.0", "block_controlnet_hidden_states.1",
            "block_controlnet_hidden_states.3"))).graph();

        assertTrue(graph.isInput("block_controlnet_hidden_states.1"));
        assertFalse(graph.isInput("block_controlnet_hidden_states.3"), "there is a gap before it");
        assertEquals(1, graph.consumers("block_controlnet_hidden_states.0").size());
        assertEquals(0, graph.consumers("block_controlnet_hidden_states.1").size(), "the last layer takes none");
    }

    private Checkpoint checkpoint(ConfigFile config) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        ComponentKinds.of(config).weights(config).forEach((name, shape) -> tensors.put(name,
            StoredTensor.of(shape, new float[Math.toIntExact(shape.elements())])));
        SafetensorsWriter.write(folder.resolve("diffusion_pytorch_model.safetensors"), tensors, Map.of());
        return Checkpoint.open(folder);
    }

    @Test
    void aPictureBeyondTheTableOfPositionsIsRefused() {
        ConfigFile config = config(SD3 + "}");
        Graph graph = ComponentKinds.of(config).write(config, checkpoint(config), GraphOptions.NONE).graph();
        Map<String, Long> sizes = new HashMap<>(Map.of("batch_size", 2L, "height", 14L, "width", 14L,
            "sequence_length", 3L));
        Map<String, Shape> timestep = Map.of("timestep", Shape.of(2));
        StaticShapes.fix(graph, InputTypes.of(graph, sizes, timestep));
        sizes.put("height", 16L);

        assertTrue(assertThrows(GraphException.class,
            () -> StaticShapes.fix(graph, InputTypes.of(graph, sizes, timestep))).getMessage().contains("/pos_embed"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        SD3 + " | 'qk_norm': 'layer_norm' | qk_norm", SD3 + " | 'pos_embed_max_size': null | pos_embed_max_size",
        SD3 + " | 'dual_attention_layers': [2] | dual_attention_layers",
        SD3 + " | 'caption_projection_dim': 9 | caption_projection_dim", SD3 + " | 'novelty': 1 | novelty",
        SD3 + " | 'pos_embed_type': 'sincos' | pos_embed_type",
        CONTROL + " | 'pos_embed_type': 'none' | pos_embed_type",
        CONTROL + " | 'use_pos_embed': false | use_pos_embed",
        CONTROL + " | 'joint_attention_dim': null | joint_attention_dim", FLUX + " | 'patch_size': 2 | patch_size",
        FLUX + " | 'axes_dims_rope': [2, 2, 2] | axes_dims_rope",
        FLUX + " | 'axes_dims_rope': [1, 3, 4] | axes_dims_rope", FLUX + " | 'theta': 5000 | theta",
        PIXART + " | 'norm_type': 'layer_norm' | norm_type", PIXART + " | 'activation_fn': 'gelu' | activation_fn",
        PIXART + " | 'norm_elementwise_affine': true | norm_elementwise_affine",
        PIXART + " | 'attention_type': 'gated' | attention_type",
        PIXART + " | 'cross_attention_dim': 8 | cross_attention_dim",
        PIXART + " | 'attention_head_dim': 3, 'caption_channels': null | attention_head_dim",
        DIT + " | 'norm_type': 'layer_norm' | norm_type",
        DIT + " | 'num_vector_embeds': 4 | num_vector_embeds",
        DIT + " | 'cross_attention_dim': 8 | cross_attention_dim",
        DIT + " | 'num_embeds_ada_norm': null | num_embeds_ada_norm", DIT + " | 'dropout2': 0 | dropout2"})
    void anOptionThatIsNotFollowedIsNamed(String json, String options, String named) {
        ConfigFile config = config(json, options);

        assertTrue(assertThrows(ModelException.class, () -> ComponentKinds.of(config).weights(config)).getMessage()
            .contains("\"" + named + "\""));
    }
}
