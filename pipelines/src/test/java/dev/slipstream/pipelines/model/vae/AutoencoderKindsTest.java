package dev.slipstream.pipelines.model.vae;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.OnnxRunner;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.shape.ShapingInputs;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Autoencoders of other depths, widths and numbers of frames than the reference components have. */
class AutoencoderKindsTest {
    private static final String VIDEO = """
        {"_class_name": "AutoencoderKLTemporalDecoder", "block_out_channels": [32, 64, 64], "layers_per_block": %d,
        "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D", "DownEncoderBlock2D"],
        "latent_channels": 3}""";
    private static final String TINY = """
        {"_class_name": "AutoencoderTiny", "encoder_block_out_channels": [6, 6], "decoder_block_out_channels": [8, 8],
        "num_encoder_blocks": [1, 2], "num_decoder_blocks": [2, 1], "latent_channels": 5, "act_fn": "silu"}""";

    private final OnnxRunner runner = new OnnxRunner();

    @TempDir
    private Path folder;

    private ConfigFile config(String json) throws IOException {
        return RandomCheckpoint.config(folder, json);
    }

    private static Map<String, Shape> weights(ConfigFile config) {
        return ComponentKinds.of(config).weights(config);
    }

    private static long parameters(ConfigFile config) {
        return weights(config).values().stream().mapToLong(Shape::elements).sum();
    }

    private Checkpoint random(ConfigFile config) {
        return new RandomCheckpoint(weights(config)).write(folder);
    }

    private static float[] values(int count) {
        Random random = new Random(3);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private OnnxTensor run(Graph graph, String input, float[] values, long... shape) throws OrtException {
        return runner.run(graph, Map.of(input, runner.tensor(values, shape))).values().iterator().next();
    }

    private Graph decoder(ConfigFile config, Checkpoint checkpoint, String... optional) {
        GraphBuilder builder = checkpoint.graph();
        AutoencoderKlTemporalDecoder.writeDecoder(config, builder, GraphOptions.withInputs(List.of(optional)));
        return builder.build().graph();
    }

    @ParameterizedTest
    @CsvSource({"1, 3", "2, 1", "3, 2"})
    void severalVideosAreDecodedAsEachAlone(int layers, int frames) throws IOException, OrtException {
        ConfigFile config = config(VIDEO.formatted(layers));
        Checkpoint checkpoint = random(config);
        Graph open = decoder(config, checkpoint, AutoencoderKlTemporalDecoder.NUM_FRAMES);
        assertEquals(Set.of(AutoencoderKlTemporalDecoder.NUM_FRAMES), ShapingInputs.of(open));
        Graph several = ShapingInputs.bind(open,
            Map.of(AutoencoderKlTemporalDecoder.NUM_FRAMES, List.of((long) frames)));
        float[] latents = values(2 * frames * 3 * 4 * 5);

        float[] both = OnnxRunner.floats(run(several, "latent_sample", latents, 2L * frames, 3, 4, 5));
        OnnxTensor second = run(decoder(config, checkpoint), "latent_sample",
            Arrays.copyOfRange(latents, latents.length / 2, latents.length), frames, 3, 4, 5);

        assertArrayEquals(new long[] {frames, 3, 16, 20}, second.getInfo().getShape());
        assertArrayEquals(OnnxRunner.floats(second), Arrays.copyOfRange(both, both.length / 2, both.length), 1e-4f);
    }

    @Test
    void framesSeeThoseBesideThem() throws IOException, OrtException {
        ConfigFile config = config(VIDEO.formatted(1));
        Graph decoder = decoder(config, random(config));
        float[] latents = values(2 * 3 * 4 * 5);

        float[] together = OnnxRunner.floats(run(decoder, "latent_sample", latents, 2, 3, 4, 5));
        float[] alone = OnnxRunner.floats(run(decoder, "latent_sample", Arrays.copyOf(latents, 60), 1, 3, 4, 5));

        assertTrue(Math.abs(together[0] - alone[0]) > 1e-4);
    }

    /** Parameters of the published models, and of AutoencoderTiny both halves. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "97742847 | `AutoencoderKLTemporalDecoder`, `block_out_channels`: [128, 256, 512, 512], `down_block_types`: "
            + "[`DownEncoderBlock2D`, `DownEncoderBlock2D`, `DownEncoderBlock2D`, `DownEncoderBlock2D`], "
            + "`layers_per_block`: 2",
        "83819683 | `AutoencoderKL`, `block_out_channels`: [128, 256, 512, 512], `down_block_types`: "
            + "[`DownEncoderBlock2D`, `DownEncoderBlock2D`, `DownEncoderBlock2D`, `DownEncoderBlock2D`], "
            + "`up_block_types`: [`UpDecoderBlock2D`, `UpDecoderBlock2D`, `UpDecoderBlock2D`, `UpDecoderBlock2D`], "
            + "`layers_per_block`: 2, `latent_channels`: 16, `use_quant_conv`: false, `use_post_quant_conv`: false",
        "2445063 | `AutoencoderTiny`"})
    void publishedModelsHaveAllTheirParameters(long parameters, String options) throws IOException {
        assertEquals(parameters, parameters(config("{`_class_name`: %s}".formatted(options).replace('`', '"'))));
    }

    @Test
    void aTinyAutoencoderHasItsOwnStages() throws IOException, OrtException {
        ConfigFile config = config(TINY);
        Checkpoint checkpoint = random(config);
        Graph encoder = ComponentKinds.of(config).write("encoder", config, checkpoint).graph();
        Graph decoder = ComponentKinds.of(config).write("decoder", config, checkpoint).graph();

        OnnxTensor latents = run(encoder, "sample", values(2 * 3 * 6 * 8), 2, 3, 6, 8);
        OnnxTensor picture = run(decoder, "latent_sample", values(5 * 3 * 4), 1, 5, 3, 4);

        assertArrayEquals(new long[] {2, 5, 3, 4}, latents.getInfo().getShape());
        assertArrayEquals(new long[] {1, 3, 6, 8}, picture.getInfo().getShape());
        assertTrue(weights(config).containsKey("decoder.layers.5.weight"));
        assertEquals(Shape.of(8, 8, 3, 3), weights(config).get("decoder.layers.5.weight"));
        assertTrue(!weights(config).containsKey("decoder.layers.5.bias"));
    }

    /** Latents far from zero come to lie within 3 of it. */
    @Test
    void aTinyDecoderClampsLatentsSmoothly() throws IOException, OrtException {
        ConfigFile config = config(TINY);
        Graph decoder = ComponentKinds.of(config).write("decoder", config, random(config)).graph();
        float[] latents = new float[60];
        Arrays.fill(latents, 100);
        float[] more = new float[60];
        Arrays.fill(more, 1000);

        assertArrayEquals(OnnxRunner.floats(run(decoder, "latent_sample", latents, 1, 5, 3, 4)),
            OnnxRunner.floats(run(decoder, "latent_sample", more, 1, 5, 3, 4)), 1e-5f);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[6, 6] | [6, 7] | \"encoder_block_out_channels\" must have the same width for each of the 2 stages, not "
            + "[6, 7]",
        "[8, 8] | [8] | \"decoder_block_out_channels\" must have the same width for each of the 2 stages, not [8]",
        "\"silu\" | \"silu\", \"upsample_fn\": \"bilinear\" | \"upsample_fn\" is \"bilinear\", which is not supported; "
            + "only \"nearest\" is",
        "\"silu\" | \"silu\", \"norm_num_groups\": 4 | \"norm_num_groups\" is an option that is not supported",
        "[2, 1] | [] | \"num_decoder_blocks\" must have a number for each stage, at most 1000, not []"})
    void optionsOfTinyOnesThatAreNotSupportedAreRefusedByName(String from, String to, String complaint)
        throws IOException {
        ConfigFile config = config(TINY.replace(from, to));

        assertEquals(config.path() + ": " + complaint,
            assertThrows(ModelException.class, () -> weights(config)).getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "[32, 64, 64] | [32, 48, 64] | \"block_out_channels\" has 48, which is no multiple of the 32 groups of its "
            + "norms",
        "\"latent_channels\": 3 | \"use_quant_conv\": false | \"use_quant_conv\" is an option that is not supported",
        "\"latent_channels\": 3 | \"act_fn\": \"silu\" | \"act_fn\" is an option that is not supported"})
    void optionsOfTemporalOnesThatAreNotSupportedAreRefusedByName(String from, String to, String complaint)
        throws IOException {
        ConfigFile config = config(VIDEO.formatted(1).replace(from, to));

        assertEquals(config.path() + ": " + complaint,
            assertThrows(ModelException.class, () -> weights(config)).getMessage());
    }
}
