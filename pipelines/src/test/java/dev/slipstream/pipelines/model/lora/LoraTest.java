package dev.slipstream.pipelines.model.lora;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Shape;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.lora.Factors.Factor;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.pipelines.model.weights.StoredType;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How files name things. */
class LoraTest {
    private static final StoredTensor DOWN = zeros(4, 8);
    private static final StoredTensor UP = zeros(16, 4);

    @TempDir
    private Path folder;

    private static StoredTensor zeros(long... dims) {
        return StoredTensor.of(Shape.of(dims), new float[(int) Shape.of(dims).elements()]);
    }

    private Lora read(Map<String, StoredTensor> tensors, Map<String, String> metadata) {
        Path file = folder.resolve("lora.safetensors");
        SafetensorsWriter.write(file, tensors, metadata);
        return Lora.read(file);
    }

    private static final String TO_Q = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
    private static final String TO_OUT = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_out_0";
    private static final String TEXT_Q = "text_model_encoder_layers_0_self_attn_q_proj";
    private static final String TEXT_OUT = "text_model_encoder_layers_0_self_attn_out_proj";

    @ParameterizedTest
    @CsvSource({
        "lora_unet_" + TO_Q + ".lora_DU.weight, DENOISER, " + TO_Q,
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_AB.weight, DENOISER, " + TO_Q,
        "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_AB.weight, DENOISER, " + TO_Q,
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora_AB.default_0.weight, DENOISER, " + TO_Q,
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.lora.DU.weight, DENOISER, " + TO_Q,
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.DU.weight, DENOISER, " + TO_Q,
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.DU.weight, DENOISER, " + TO_OUT,
        "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.lora.DU.weight, DENOISER, " + TO_OUT,
        "lora_te_" + TEXT_Q + ".lora_DU.weight, TEXT_ENCODER, " + TEXT_Q,
        "lora_te1_" + TEXT_Q + ".lora_DU.weight, TEXT_ENCODER, " + TEXT_Q,
        "lora_te2_" + TEXT_Q + ".lora_DU.weight, TEXT_ENCODER_2, " + TEXT_Q,
        "text_encoder.text_model.encoder.layers.0.self_attn.q_proj.lora_linear_layer.DU.weight, TEXT_ENCODER, "
            + TEXT_Q,
        "text_encoder.text_model.encoder.layers.0.self_attn.to_out_lora.DU.weight, TEXT_ENCODER, " + TEXT_OUT,
        "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_AB.weight, TEXT_ENCODER_2, " + TEXT_Q,
        "lycoris_" + TO_Q + ".lora_DU.weight, DENOISER, " + TO_Q,
        "diffusion_model.input_blocks.1.1.proj_in.lora_DU.weight, DENOISER, input_blocks_1_1_proj_in",
        "diffusion_model.input_blocks.1.1.proj_in.lora_AB.weight, DENOISER, input_blocks_1_1_proj_in",
        "model.diffusion_model.out.2.lora_DU.weight, DENOISER, out_2",
        "text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj.lora_DU.weight, TEXT_ENCODER, "
            + TEXT_Q,
        "text_encoders.clip_h.transformer.text_model.encoder.layers.0.self_attn.q_proj.lora_DU.weight, TEXT_ENCODER, "
            + TEXT_Q,
        "clip_g.transformer.text_model.encoder.layers.0.self_attn.q_proj.lora_AB.weight, TEXT_ENCODER_2, " + TEXT_Q,
        "cond_stage_model.transformer.text_model.encoder.layers.0.self_attn.q_proj.lora_DU.weight, TEXT_ENCODER, "
            + TEXT_Q,
        "base_model.model.text_model.encoder.layers.0.self_attn.q_proj.lora_AB.weight, TEXT_ENCODER, " + TEXT_Q,
        "base_model.model.encoder.layers.0.self_attn.q_proj.lora_AB.weight, TEXT_ENCODER, "
            + "encoder_layers_0_self_attn_q_proj",
        "clip_l.text_model.encoder.layers.0.self_attn.q_proj.lora_DU.weight, TEXT_ENCODER, "
            + "encoder_layers_0_self_attn_q_proj",
        "clip_g.text_model.encoder.layers.0.self_attn.q_proj.lora_DU.weight, TEXT_ENCODER_2, "
            + "encoder_layers_0_self_attn_q_proj"})
    void allWaysOfNamingMeanTheSame(String name, Component component, String path) {
        String down = name.replace("DU", "down").replace("AB", "A");
        String up = name.replace("DU", "up").replace("AB", "B");
        Lora lora = read(Map.of(down, DOWN, up, UP), Map.of());
        assertEquals(Map.of(new LoraTarget(component, path), layer(down, up)), lora.layers());
        assertEquals(Set.of(component), lora.components());
        assertEquals(List.of(), lora.unknown());
    }

    private static LoraLayer layer(String down, String up) {
        return new LoraLayer(new Factors.LowRank(new Factor(up, UP.shape()), new Factor(down, DOWN.shape())), 1,
            Optional.empty());
    }

    private static Map<String, StoredTensor> layer(String module) {
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        tensors.put(module + ".lora_down.weight", DOWN);
        tensors.put(module + ".lora_up.weight", UP);
        return tensors;
    }

    @Test
    void theScaleIsAlphaByRankInAnyType() {
        for (StoredType type : List.of(StoredType.F32, StoredType.F16, StoredType.BF16)) {
            Map<String, StoredTensor> tensors = layer("lora_unet_" + TO_Q);
            tensors.put("lora_unet_" + TO_Q + ".alpha", StoredTensor.of(type, Shape.of(), 2));
            assertEquals(0.5, read(tensors, Map.of()).layers().values().iterator().next().scale());
        }
    }

    @Test
    void alphaIsFoundInTheSettingsOfTheAdapter() {
        Map<String, String> metadata = Map.of("lora_adapter_metadata", "{\"unet.r\": 4, \"unet.lora_alpha\": 12}");
        Lora lora = read(layer("unet.conv_in"), metadata);
        assertEquals(3, lora.layers().values().iterator().next().scale());
    }

    @Test
    void variantsOfLoraInTheSettingsAreRefused() {
        Map<String, String> metadata = Map.of("lora_adapter_metadata", "{\"unet.bias\": \"lora_only\"}");
        ModelException refused = assertThrows(ModelException.class, () -> read(layer("unet.conv_in"), metadata));
        assertTrue(refused.getMessage().contains("\"unet.bias\" is \"lora_only\", which is not supported"),
            refused.getMessage());
    }

    @Test
    void whatIsNoLayerIsListed() {
        Map<String, StoredTensor> tensors = layer("lora_unet_" + TO_Q);
        tensors.put("another.x.lora_A.weight", DOWN);
        assertEquals(List.of("another.x.lora_A.weight"), read(tensors, Map.of()).unknown());
    }

    @Test
    void aFileWithoutAnyLayerIsRefused() {
        ModelException refused =
            assertThrows(ModelException.class, () -> read(Map.of("conv_in.weight", zeros(4, 4)), Map.of()));
        assertTrue(refused.getMessage().contains("is no LoRA file that can be used: none of its 1 tensors"),
            refused.getMessage());
    }

    @Test
    void aFactorWithoutItsPartnerIsRefused() {
        String down = "lora_unet_" + TO_Q + ".lora_down.weight";
        ModelException refused = assertThrows(ModelException.class, () -> read(Map.of(down, DOWN), Map.of()));
        assertTrue(refused.getMessage().contains(down + " has no other factor"), refused.getMessage());
    }

    @Test
    void factorsOfDifferentRanksAreRefused() {
        Map<String, StoredTensor> tensors = layer("lora_unet_" + TO_Q);
        tensors.put("lora_unet_" + TO_Q + ".lora_up.weight", zeros(16, 5));
        ModelException refused = assertThrows(ModelException.class, () -> read(tensors, Map.of()));
        assertTrue(refused.getMessage().contains("do not fit each other"), refused.getMessage());
    }

    @Test
    void alphaThatIsNoNumberIsRefused() {
        Map<String, StoredTensor> tensors = layer("lora_unet_" + TO_Q);
        tensors.put("lora_unet_" + TO_Q + ".alpha", zeros(3));
        assertThrows(ModelException.class, () -> read(tensors, Map.of()));
        tensors.put("lora_unet_" + TO_Q + ".alpha", StoredTensor.of(Shape.of(), Float.NaN));
        assertThrows(ModelException.class, () -> read(tensors, Map.of()));
    }

    @Test
    void twoNamesForOneThingAreRefused() {
        Map<String, StoredTensor> tensors = layer("lora_unet_conv_in");
        tensors.putAll(layer("unet.conv_in"));
        ModelException refused = assertThrows(ModelException.class, () -> read(tensors, Map.of()));
        assertTrue(refused.getMessage().contains("mean the same"), refused.getMessage());
    }
}
