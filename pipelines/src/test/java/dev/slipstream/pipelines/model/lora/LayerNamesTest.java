package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.unet.OriginalNames;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class LayerNamesTest {
    @TempDir
    private Path folder;

    private Set<String> names(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder.resolve("model"));
        return Checkpoint.open(folder.resolve("model").resolve("unet")).weights().keySet();
    }

    /** As published in the conversion tables between the two layouts of SDXL. */
    @ParameterizedTest
    @CsvSource({"input_blocks_0_0, conv_in", "time_embed_0, time_embedding.linear_1",
        "label_emb_0_2, add_embedding.linear_2", "input_blocks_1_0_in_layers_2, down_blocks.0.resnets.0.conv1",
        "input_blocks_3_0_op, down_blocks.0.downsamplers.0.conv",
        "input_blocks_4_0_skip_connection, down_blocks.1.resnets.0.conv_shortcut",
        "input_blocks_4_1_proj_in, down_blocks.1.attentions.0.proj_in",
        "input_blocks_4_1_transformer_blocks_0_attn1_to_q, "
            + "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q",
        "input_blocks_8_1_transformer_blocks_1_ff_net_0_proj, "
            + "down_blocks.2.attentions.1.transformer_blocks.1.ff.net.0.proj",
        "middle_block_0_emb_layers_1, mid_block.resnets.0.time_emb_proj",
        "middle_block_1_transformer_blocks_0_attn2_to_k, mid_block.attentions.0.transformer_blocks.0.attn2.to_k",
        "middle_block_2_out_layers_3, mid_block.resnets.1.conv2",
        "output_blocks_0_1_proj_out, up_blocks.0.attentions.0.proj_out",
        "output_blocks_2_2_conv, up_blocks.0.upsamplers.0.conv",
        "output_blocks_5_1_transformer_blocks_0_attn1_to_out_0, "
            + "up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_out.0",
        "output_blocks_8_0_in_layers_2, up_blocks.2.resnets.2.conv1", "out_2, conv_out", "out_0, conv_norm_out",
        "input_blocks_1_0_in_layers_0, down_blocks.0.resnets.0.norm1",
        "middle_block_2_out_layers_0, mid_block.resnets.1.norm2", "middle_block_1_norm, mid_block.attentions.0.norm"})
    void originalNamesOfSdxlAreFound(String original, String module) {
        LayerNames names = new LayerNames(Component.DENOISER, names(ModelFamily.SDXL));
        assertEquals(Optional.of(module + ".weight"), names.tensor(new LoraTarget(Component.DENOISER, original)));
    }

    @Test
    void aBiasIsFoundWhereThereIsOne() {
        LayerNames names = new LayerNames(Component.DENOISER, Set.of("conv_in.weight", "conv_in.bias",
            "conv_out.weight"));
        assertEquals(Optional.of("conv_in.bias"), names.tensor(new LoraTarget(Component.DENOISER, "input_blocks_0_0",
            LoraTarget.Parameter.BIAS)));
        assertEquals(Optional.empty(), names.tensor(new LoraTarget(Component.DENOISER, "conv_out",
            LoraTarget.Parameter.BIAS)));
    }

    @Test
    void withoutAttentionTheUpsamplerFollowsTheResidualBlock() {
        LayerNames names = new LayerNames(Component.DENOISER, names(ModelFamily.SD15));
        assertEquals(Optional.of("up_blocks.0.upsamplers.0.conv.weight"),
            names.tensor(new LoraTarget(Component.DENOISER, "output_blocks_2_1_conv")));
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD15", "SD21", "SDXL", "SDXL_REFINER", "INPAINT", "X4_UPSCALER"})
    void noTwoLayersHaveOneName(ModelFamily family) {
        Set<String> weights = names(family);
        LayerNames names = new LayerNames(Component.DENOISER, weights);
        Set<String> modules = new HashSet<>();
        weights.stream().filter(name -> name.endsWith(".weight"))
            .forEach(name -> modules.add(name.substring(0, name.length() - ".weight".length())));
        OriginalNames original = new OriginalNames(modules);
        for (String module : modules) {
            for (String name : List.of(module, original.of(module).orElse(module))) {
                assertEquals(Optional.of(module + ".weight"),
                    names.tensor(new LoraTarget(Component.DENOISER, name.replace('.', '_'))));
            }
        }
    }

    @Test
    void theOnlyModuleOfATextEncoderMayBeLeftOutOnEitherSide() {
        LoraTarget full = new LoraTarget(Component.TEXT_ENCODER, "text_model_encoder_layers_0_mlp_fc1");
        LoraTarget bare = new LoraTarget(Component.TEXT_ENCODER, "encoder_layers_0_mlp_fc1");
        for (String stored : List.of("text_model.encoder.layers.0.mlp.fc1.weight", "encoder.layers.0.mlp.fc1.weight")) {
            LayerNames names = new LayerNames(Component.TEXT_ENCODER, Set.of(stored));
            assertEquals(Optional.of(stored), names.tensor(full));
            assertEquals(Optional.of(stored), names.tensor(bare));
        }
    }
}
