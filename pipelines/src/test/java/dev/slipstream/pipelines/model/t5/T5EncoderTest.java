package dev.slipstream.pipelines.model.t5;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.t5.T5Encoder.T5Config;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class T5EncoderTest {
    private static final String TINY = """
        {"architectures": ["T5EncoderModel"], "model_type": "t5", "vocab_size": 11, "d_model": 12, "d_kv": 5, "d_ff": 7,
        "num_layers": 2, "num_heads": 3, "relative_attention_num_buckets": 8, "relative_attention_max_distance": 10,
        "feed_forward_proj": "gated-gelu"}""";

    private final OnnxRunner runner = new OnnxRunner();

    @TempDir
    private Path folder;

    private ConfigFile config(String json) throws IOException {
        return RandomCheckpoint.config(folder, json);
    }

    /** Parameters of the published encoder, in Stable Diffusion 3 and FLUX. */
    @Test
    void theLargestHasAllItsParameters() throws IOException {
        ConfigFile config = config("""
            {"architectures": ["T5EncoderModel"], "classifier_dropout": 0.0, "d_ff": 10240, "d_kv": 64, "d_model": 4096,
            "decoder_start_token_id": 0, "dense_act_fn": "gelu_new", "dropout_rate": 0.1, "eos_token_id": 1,
            "feed_forward_proj": "gated-gelu", "initializer_factor": 1.0, "is_encoder_decoder": true,
            "is_gated_act": true, "layer_norm_epsilon": 1e-06, "model_type": "t5", "num_decoder_layers": 24,
            "num_heads": 64, "num_layers": 24, "output_past": true, "pad_token_id": 0,
            "relative_attention_max_distance": 128, "relative_attention_num_buckets": 32,
            "tie_word_embeddings": false, "torch_dtype": "float16", "use_cache": true, "vocab_size": 32128}""");

        Map<String, Shape> weights = ComponentKinds.of(config).weights(config);

        assertEquals(4_762_310_656L, weights.values().stream().mapToLong(Shape::elements).sum());
        assertEquals(219, weights.size());
    }

    /** Distances have one bucket each up to a quarter of all, and share them the more, the larger they are. */
    @Test
    void bucketsGrowWithTheDistance() throws IOException {
        long[] table = T5Config.read(config(TINY)).bucketsByDistance();

        assertArrayEquals(new long[] {3, 3, 3, 3, 3, 3, 2, 2, 2, 1, 0, 5, 6, 6, 6, 7, 7, 7, 7, 7, 7}, table);
    }

    private float[] run(ConfigFile config, Checkpoint checkpoint, long[] ids, long[] mask) throws OrtException {
        GraphBuilder graph = checkpoint.graph();
        T5Encoder.write(config, graph, mask == null ? GraphOptions.NONE
            : GraphOptions.withInputs(List.of(T5Encoder.ATTENTION_MASK)));
        Map<String, OnnxTensor> inputs = new HashMap<>(Map.of("input_ids", runner.tensor(ids, 1, ids.length)));
        if (mask != null) {
            inputs.put("attention_mask", runner.tensor(mask, 1, mask.length));
        }
        return OnnxRunner.floats(runner.run(graph.build().graph(), inputs).get("last_hidden_state"));
    }

    private Checkpoint random(ConfigFile config) {
        return new RandomCheckpoint(ComponentKinds.of(config).weights(config)).write(folder);
    }

    @Test
    void whatIsMaskedChangesNothing() throws IOException, OrtException {
        ConfigFile config = config(TINY);
        Checkpoint checkpoint = random(config);

        float[] alone = run(config, checkpoint, new long[] {3, 4, 1}, null);
        float[] padded = run(config, checkpoint, new long[] {3, 4, 1, 9, 9, 9}, new long[] {1, 1, 1, 0, 0, 0});
        float[] seen = run(config, checkpoint, new long[] {3, 4, 1, 9, 9, 9}, null);

        assertArrayEquals(alone, Arrays.copyOf(padded, alone.length), 1e-5f);
        assertTrue(Math.abs(alone[0] - seen[0]) > 1e-3);
    }

    @Test
    void theOrderOfTokensCounts() throws IOException, OrtException {
        ConfigFile config = config(TINY);
        Checkpoint checkpoint = random(config);

        float[] one = run(config, checkpoint, new long[] {3, 4, 1}, null);
        float[] other = run(config, checkpoint, new long[] {4, 3, 1}, null);

        assertTrue(Math.abs(one[24] - other[24]) > 1e-3);
    }

    /** Weights may be fp16; what is computed with them reaches values that fp16 does not hold. */
    @Test
    void hiddenValuesMayBeLargerThanHalfPrecisionHolds() throws IOException, OrtException {
        ConfigFile config = config(TINY);
        Map<String, StoredTensor> weights = new LinkedHashMap<>();
        Map<String, Shape> shapes = ComponentKinds.of(config).weights(config);
        RandomCheckpoint random = new RandomCheckpoint(shapes);
        shapes.forEach((name, shape) -> {
            float[] values = random.values(name);
            for (int i = 0; i < values.length; i++) {
                values[i] *= name.contains("DenseReluDense") ? 300 : 1;
            }
            weights.put(name, StoredTensor.of(shape, values));
        });
        SafetensorsWriter.write(folder.resolve("model.safetensors"), weights, Map.of());

        float[] states = run(config, Checkpoint.open(folder), new long[] {3, 4, 1}, null);

        for (float state : states) {
            assertTrue(Float.isFinite(state));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"d_kv\": 5 | \"d_kv\": 0 | \"d_kv\" must be a positive whole number of at most 1000000, not 0",
        "gated-gelu | gated-tan | \"feed_forward_proj\" is \"gated-tan\", which is not supported; gated-gelu and relu "
            + "are usual",
        "\"d_kv\": 5 | \"d_kv\": 5, \"is_decoder\": true | \"is_decoder\" is true, which is not supported; only false "
            + "is",
        "\"d_kv\": 5 | \"d_kv\": 5, \"is_gated_act\": false | \"is_gated_act\" is not what feed_forward_proj says",
        "\"d_kv\": 5 | \"d_kv\": 5, \"dense_act_fn\": \"relu\" | \"dense_act_fn\" is not what feed_forward_proj says",
        "\"d_kv\": 5 | \"d_kv\": 5, \"rotary\": 1 | \"rotary\" is an option that is not supported",
        "\"model_type\": \"t5\" | \"model_type\": \"umt5\" | \"model_type\" is \"umt5\", which is no T5 encoder",
        "max_distance\": 10 | max_distance\": 2 | \"relative_attention_max_distance\" must be more than a quarter of "
            + "relative_attention_num_buckets, not 2",
        "num_buckets\": 8 | num_buckets\": 3 | \"relative_attention_num_buckets\" must be at least 4, not 3",
        "num_layers\": 2 | num_layers\": 2000 | \"num_layers\" must be at most 1000, not 2000"})
    void optionsThatAreNotSupportedAreRefusedByName(String from, String to, String complaint) throws IOException {
        ConfigFile config = config(TINY.replace(from, to));

        String message = assertThrows(ModelException.class, () -> T5Config.read(config)).getMessage();

        assertEquals(config.path() + ": " + complaint, message);
    }
}
