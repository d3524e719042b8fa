package dev.slipstream.pipelines.model.vae;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl.NodeProto;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.build.BuiltGraph;
import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RandomCheckpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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

    /** The decoder of one block of width 4, and a weight of the encoder. */
    private Checkpoint decoder() {
        RandomCheckpoint weights = new RandomCheckpoint().layer("post_quant_conv", 4, 4, 1, 1)
            .layer("quant_conv", 8, 8, 1, 1);
        for (String module : List.of("mid_block.resnets.0", "mid_block.resnets.1", "up_blocks.0.resnets.0",
            "up_blocks.0.resnets.1")) {
            weights.at("decoder." + module).layer("norm1", 4).layer("conv1", 4, 4, 3, 3).layer("norm2", 4)
                .layer("conv2", 4, 4, 3, 3);
        }
        return weights.at("decoder").layer("conv_in", 4, 4, 3, 3).layer("conv_norm_out", 4)
            .layer("conv_out", 3, 4, 3, 3).write(folder);
    }

    @Test
    void nodesAreNamedAfterTheModulesOfDiffusersAndWhatIsNotUsedIsListed() throws IOException {
        BuiltGraph built = AutoencoderKl.decoder(config(""), decoder());

        List<String> names = built.graph().nodes().stream().map(NodeProto::getName).toList();
        assertTrue(names.containsAll(List.of("/post_quant_conv/Conv", "/decoder/conv_in/Conv",
            "/decoder/mid_block/resnets.1/conv2/Conv", "/decoder/up_blocks.0/resnets.1/norm1/Add",
            "/decoder/conv_out/Conv")), names.toString());
        assertEquals(List.of("quant_conv.weight", "quant_conv.bias"), built.ignored());
    }

    @Test
    void weightsThatAreMissingAreNamed() throws IOException {
        ConfigFile config = config("");
        Checkpoint checkpoint = decoder();

        String message = assertThrows(GraphException.class, () -> AutoencoderKl.encoder(config, checkpoint))
            .getMessage();

        assertTrue(message.contains("encoder.conv_in.weight [4, 3, 3, 3]"), message);
    }

    @Test
    void modelsThatOverflowInFloat16AreKnown() throws IOException {
        assertTrue(AutoencoderKl.needsRange(config("")));
        assertFalse(AutoencoderKl.needsRange(config("\"force_upcast\": false, ")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"_class_name\": \"AutoencoderTiny\" | _class_name | AutoencoderTiny",
        "\"down_block_types\": [\"DownBlock2D\"] | down_block_types | DownBlock2D",
        "\"up_block_types\": [\"UpDecoderBlock2D\", \"UpDecoderBlock2D\"] | up_block_types | 1 widths",
        "\"up_block_types\": [] | up_block_types | not 0",
        "\"norm_type\": \"spatial\" | norm_type | not supported",
        "\"use_quant_conv\": 1 | use_quant_conv | true or false",
        "\"layers_per_block\": 0 | layers_per_block | positive"})
    void whatCannotBeFollowedIsNamed(String option, String key, String part) throws IOException {
        ConfigFile config = config(option + ", ");
        Checkpoint checkpoint = decoder();

        String message = assertThrows(ModelException.class, () -> AutoencoderKl.decoder(config, checkpoint))
            .getMessage();

        assertTrue(message.contains("\"" + key + "\"") && message.contains(part), message);
    }

    @Test
    void groupsMustDivideTheWidths() throws IOException {
        ConfigFile config = RandomCheckpoint.config(folder, "{\"norm_num_groups\": 3, \"block_out_channels\": [4]}");
        Checkpoint checkpoint = decoder();

        String message = assertThrows(ModelException.class, () -> AutoencoderKl.decoder(config, checkpoint))
            .getMessage();

        assertTrue(message.contains("\"norm_num_groups\" is 3"), message);
    }
}
