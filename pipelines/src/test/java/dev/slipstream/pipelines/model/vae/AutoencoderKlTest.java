package dev.slipstream.pipelines.model.vae;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AutoencoderKlTest {
    @TempDir
    private Path folder;

    private ConfigFile config(String options) throws IOException {
        return RandomCheckpoint.config(folder, "{\"norm_num_groups\": 2, \"block_out_channels\": [4], " + options
            + "\"mid_block_add_attention\": false}");
    }

    /** The weights of both halves. */
    private Checkpoint checkpoint() throws IOException {
        return new RandomCheckpoint(AutoencoderKl.weights(config(""))).write(folder);
    }

    @Test
    void nodesAreNamedAfterTheModulesOfDiffusersAndWhatIsNotUsedIsListed() throws IOException {
        BuiltGraph built = AutoencoderKl.decoder(config(""), checkpoint());

        List<String> names = built.graph().nodes().stream().map(NodeProto::getName).toList();
        assertTrue(names.containsAll(List.of("/post_quant_conv/Conv", "/decoder/conv_in/Conv",
            "/decoder/mid_block/resnets.1/conv2/Conv", "/decoder/up_blocks.0/resnets.1/norm1/Add",
            "/decoder/conv_out/Conv")), names.toString());
        assertTrue(built.ignored().contains("quant_conv.weight"));
        assertTrue(built.ignored().stream().allMatch(it -> it.startsWith("quant_conv") || it.startsWith("encoder")),
            built.ignored().toString());
    }

    @Test
    void weightsThatAreMissingAreNamed() throws IOException {
        ConfigFile config = config("");
        Map<String, Shape> shapes = new HashMap<>(AutoencoderKl.weights(config));
        shapes.remove("encoder.conv_in.weight");
        Checkpoint checkpoint = new RandomCheckpoint(shapes).write(folder);

        String message = assertThrows(GraphException.class, () -> AutoencoderKl.encoder(config, checkpoint))
            .getMessage();

        assertTrue(message.contains("lacks encoder.conv_in.weight [4, 3, 3, 3]"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"_class_name\": \"AutoencoderTiny\" | _class_name | AutoencoderTiny",
        "\"down_block_types\": [\"DownBlock2D\"] | down_block_types | DownBlock2D",
        "\"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"] | up_block_types | 1 widths",
        "\"up_block_types\": [] | up_block_types | not 0",
        "\"norm_type\": \"spatial\" | norm_type | not supported",
        "\"use_quant_conv\": 1 | use_quant_conv | true or false",
        "\"use_post_quant_conv\": null | use_post_quant_conv | is null",
        "\"act_fn\": \"tanh\" | act_fn | tanh",
        "\"double_z\": false | double_z | not supported",
        "\"quantization_config\": {} | quantization_config | not supported",
        "\"layers_per_block\": 0 | layers_per_block | positive"})
    void whatCannotBeFollowedIsNamed(String option, String key, String part) throws IOException {
        ConfigFile config = config(option + ", ");

        String message = assertThrows(ModelException.class, () -> AutoencoderKl.weights(config)).getMessage();

        assertTrue(message.contains("\"" + key + "\"") && message.contains(part), message);
    }

    /** What diffusers 0.33 writes, all of it. */
    @Test
    void everyOptionOfDiffusersIsKnown() throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, """
            {"_class_name": "AutoencoderKL", "_diffusers_version": "0.33.0", "_name_or_path": "x", "act_fn": "silu",
             "block_out_channels": [4], "down_block_types": ["AttnDownEncoderBlock2D"], "force_upcast": true,
             "in_channels": 3, "latent_channels": 4, "latents_mean": [0, 0, 0, 0], "latents_std": [1, 1, 1, 1],
             "layers_per_block": 1, "mid_block_add_attention": true, "norm_num_groups": 2, "out_channels": 3,
             "sample_size": [512, 512], "scaling_factor": 0.18215, "shift_factor": null,
             "up_block_types": ["AttnUpDecoderBlock2D"], "use_post_quant_conv": true, "use_quant_conv": true}
            """);

        assertTrue(AutoencoderKl.weights(config).containsKey("encoder.down_blocks.0.attentions.0.to_q.weight"));
    }

    @Test
    void groupsMustDivideTheWidths() throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, "{\"norm_num_groups\": 3, \"block_out_channels\": [4]}");

        String message = assertThrows(ModelException.class, () -> AutoencoderKl.weights(config)).getMessage();

        assertTrue(message.contains("\"norm_num_groups\" is 3"), message);
    }
}
