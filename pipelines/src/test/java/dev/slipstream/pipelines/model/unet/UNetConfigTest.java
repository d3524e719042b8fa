package dev.slipstream.pipelines.model.unet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UNetConfigTest {
    @Test
    void anEmptyConfigurationIsThatOfStableDiffusion15ButForTheText() {
        Map<String, Shape> weights = UNet.weights(config("{'cross_attention_dim': 768, 'attention_head_dim': 8}"));

        assertEquals(686, weights.size());
        assertEquals(859_520_964, weights.values().stream().mapToLong(Shape::elements).sum());
        assertEquals(Shape.of(320, 320), weights.get("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
            + ".weight"));
        assertEquals(Shape.of(320, 320, 1, 1), weights.get("down_blocks.0.attentions.0.proj_in.weight"));
    }

    /** Parameters of the published model. */
    @Test
    void sdxlHasAllItsParameters() {
        Map<String, Shape> weights = UNet.weights(config("{'block_out_channels': [320, 640, 1280], "
            + "'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'], "
            + "'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], "
            + "'transformer_layers_per_block': [1, 2, 10], 'attention_head_dim': [5, 10, 20], "
            + "'cross_attention_dim': 2048, 'use_linear_projection': true, 'addition_embed_type': 'text_time', "
            + "'addition_time_embed_dim': 256, 'projection_class_embeddings_input_dim': 2816}"));

        assertEquals(1680, weights.size());
        assertEquals(2_567_463_684L, weights.values().stream().mapToLong(Shape::elements).sum());
    }

    @Test
    void listsOfBothDirectionsAreSpelledOut() {
        UNetConfig config = UNetConfig.read(config("{'block_out_channels': [8, 16, 32], "
            + "'down_block_types': ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'], "
            + "'up_block_types': ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'], "
            + "'layers_per_block': [1, 2, 3], 'attention_head_dim': [2, 4, 8], "
            + "'only_cross_attention': [true, false, true], 'transformer_layers_per_block': [1, 2, 10]}"));

        assertEquals(new UNetBlock(16, true, 4, List.of(2, 2), false), config.blocks().down().get(1));
        assertEquals(new UNetBlock(32, true, 8, List.of(10), false), config.blocks().mid().orElseThrow());
        assertEquals(List.of(new UNetBlock(32, true, 8, List.of(10, 10, 10, 10), true),
            new UNetBlock(16, true, 4, List.of(2, 2, 2), false), new UNetBlock(8, false, 2, List.of(1, 1), true)),
            config.blocks().up());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "'dual_cross_attention': true | dual_cross_attention",
        "'encoder_hid_dim_type': 'text_proj' | encoder_hid_dim_type",
        "'class_embeddings_concat': true | class_embeddings_concat",
        "'time_embedding_type': 'fourier' | time_embedding_type",
        "'attention_type': 'gated' | attention_type",
        "'resnet_skip_time_act': true | resnet_skip_time_act",
        "'resnet_out_scale_factor': 0.5 | resnet_out_scale_factor",
        "'resnet_time_scale_shift': 'ada_group' | resnet_time_scale_shift",
        "'cross_attention_norm': 'layer_norm' | cross_attention_norm",
        "'mid_block_type': 'UNetMidBlock2DSimpleCrossAttn' | mid_block_type",
        "'mid_block_only_cross_attention': true | mid_block_only_cross_attention",
        "'down_block_types': ['AttnDownBlock2D', 'DownBlock2D', 'DownBlock2D', 'DownBlock2D'] | down_block_types",
        "'up_block_types': ['UpBlock2D'] | up_block_types",
        "'addition_embed_type': 'image' | addition_embed_type",
        "'class_embed_type': 'embedding' | class_embed_type",
        "'act_fn': 'tanh' | act_fn",
        "'norm_num_groups': null | norm_num_groups",
        "'flip_sin_to_cos': null | flip_sin_to_cos",
        "'encoder_hid_dim': 768 | encoder_hid_dim",
        "'quantization_config': {} | quantization_config",
        "'conv_in_kernel': 2 | conv_in_kernel",
        "'conv_out_kernel': 4 | conv_out_kernel",
        "'block_out_channels': [] | block_out_channels",
        "'block_out_channels': [1, 8, 8, 8], 'attention_head_dim': 1 | block_out_channels",
        "'block_out_channels': [8, 8] | down_block_types",
        "'class_embed_type': 'projection' | projection_class_embeddings_input_dim",
        "'addition_embed_type': 'text_time', 'addition_time_embed_dim': 1 | addition_time_embed_dim",
        "'reverse_transformer_layers_per_block': [1, 1] | reverse_transformer_layers_per_block",
        "'downsample_padding': 2 | downsample_padding",
        "'attention_head_dim': [8, 8] | attention_head_dim",
        "'attention_head_dim': 321 | attention_head_dim",
        "'cross_attention_dim': [768, 768, 1024, 768] | cross_attention_dim",
        "'transformer_layers_per_block': [[1, 2], 1, 1, 1] | reverse_transformer_layers_per_block",
        "'transformer_layers_per_block': [[1], 1, 1, 1] | transformer_layers_per_block",
        "'transformer_layers_per_block': 101 | transformer_layers_per_block",
        "'transformer_layers_per_block': 1000000000 | transformer_layers_per_block",
        "'layers_per_block': 101 | layers_per_block",
        "'layers_per_block': 1000000000 | layers_per_block",
        "'use_linear_projection': 1 | use_linear_projection",
        "'_class_name': 'UNet2DModel' | _class_name",
        "'a_new_option': 1 | a_new_option"})
    void whatCannotBeFollowedIsRefusedByName(String setting, String key) {
        ConfigFile config = config("{" + setting + "}");

        String message = assertThrows(ModelException.class, () -> UNet.weights(config)).getMessage();

        assertTrue(message.contains("config.json: \"" + key + "\""), message);
    }

    @Test
    void aHundredLayersAreTheMost() {
        UNetConfig config =
            UNetConfig.read(config("{'layers_per_block': 100, 'transformer_layers_per_block': 100}"));

        assertEquals(Collections.nCopies(100, 100), config.blocks().down().getFirst().depths());
        assertEquals(101, config.blocks().up().getLast().layers());
    }

    /** What diffusers 0.33 writes for Stable Diffusion 1.5, all of it. */
    @Test
    void everyOptionOfDiffusersIsKnown() {
        assertEquals(686, UNet.weights(config("""
            {'_class_name': 'UNet2DConditionModel', '_diffusers_version': '0.33.0', 'act_fn': 'silu',
             'addition_embed_type': null, 'addition_embed_type_num_heads': 64, 'addition_time_embed_dim': null,
             'attention_head_dim': 8, 'attention_type': 'default', 'block_out_channels': [320, 640, 1280, 1280],
             'center_input_sample': false, 'class_embed_type': null, 'class_embeddings_concat': false,
             'conv_in_kernel': 3, 'conv_out_kernel': 3, 'cross_attention_dim': 768, 'cross_attention_norm': null,
             'down_block_types': ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D',
             'DownBlock2D'], 'downsample_padding': 1, 'dropout': 0.0, 'dual_cross_attention': false,
             'encoder_hid_dim': null, 'encoder_hid_dim_type': null, 'flip_sin_to_cos': true, 'freq_shift': 0,
             'in_channels': 4, 'layers_per_block': 2, 'mid_block_only_cross_attention': null,
             'mid_block_scale_factor': 1, 'mid_block_type': 'UNetMidBlock2DCrossAttn', 'norm_eps': 1e-05,
             'norm_num_groups': 32, 'num_attention_heads': null, 'num_class_embeds': null,
             'only_cross_attention': false, 'out_channels': 4, 'projection_class_embeddings_input_dim': null,
             'resnet_out_scale_factor': 1.0, 'resnet_skip_time_act': false, 'resnet_time_scale_shift': 'default',
             'reverse_transformer_layers_per_block': null, 'sample_size': 64, 'time_cond_proj_dim': null,
             'time_embedding_act_fn': null, 'time_embedding_dim': null, 'time_embedding_type': 'positional',
             'timestep_post_act': null, 'transformer_layers_per_block': 1,
             'up_block_types': ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
             'upcast_attention': false, 'use_linear_projection': false}""")).size());
    }

    @Test
    void defaultsThatAreSpelledOutAreNoReasonToRefuse() {
        assertEquals(686, UNet.weights(config("{'_name_or_path': 'x', 'dual_cross_attention': false, "
            + "'resnet_out_scale_factor': 1.0, 'encoder_hid_dim': null, 'time_embedding_type': 'positional', "
            + "'attention_type': null, 'mid_block_only_cross_attention': null, 'upcast_attention': true, "
            + "'dropout': 0.0, 'class_embed_type': null}")).size());
    }

    private static ConfigFile config(String json) {
        return new ConfigFile(Path.of("unet", "config.json"),
            JsonParser.parseString(json.replace('\'', '"')).getAsJsonObject());
    }
}
