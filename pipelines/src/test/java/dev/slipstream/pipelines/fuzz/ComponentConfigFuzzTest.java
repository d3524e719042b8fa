package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged configurations of components, from which the weights that a checkpoint must have are worked out. */
class ComponentConfigFuzzTest {
    @ParameterizedTest
    @ValueSource(strings = {
        "{'_class_name': 'SD3Transformer2DModel', 'num_layers': 3, 'num_attention_heads': 2, 'attention_head_dim': 4, "
            + "'caption_projection_dim': 8, 'joint_attention_dim': 6, 'pooled_projection_dim': 5, "
            + "'pos_embed_max_size': 7, 'in_channels': 4, 'out_channels': 3, 'qk_norm': 'rms_norm', "
            + "'dual_attention_layers': [0, 1], 'patch_size': 2, 'sample_size': 16}",
        "{'_class_name': 'SD3ControlNetModel', 'num_layers': 2, 'num_attention_heads': 2, 'attention_head_dim': 4, "
            + "'caption_projection_dim': 8, 'joint_attention_dim': 6, 'pooled_projection_dim': 5, "
            + "'pos_embed_max_size': 7, 'extra_conditioning_channels': 1, 'use_pos_embed': true, "
            + "'force_zeros_for_pooled_projection': true, 'pos_embed_type': 'sincos'}",
        "{'_class_name': 'FluxTransformer2DModel', 'num_layers': 1, 'num_single_layers': 2, 'num_attention_heads': 2, "
            + "'attention_head_dim': 8, 'axes_dims_rope': [2, 2, 4], 'joint_attention_dim': 6, "
            + "'pooled_projection_dim': 5, 'in_channels': 12, 'out_channels': null, 'guidance_embeds': true, "
            + "'patch_size': 1}",
        "{'_class_name': 'PixArtTransformer2DModel', 'num_layers': 2, 'num_attention_heads': 3, "
            + "'attention_head_dim': 4, 'cross_attention_dim': 12, 'caption_channels': 6, 'sample_size': 8, "
            + "'interpolation_scale': 2, 'use_additional_conditions': true, 'out_channels': 8, 'patch_size': 2, "
            + "'norm_type': 'ada_norm_single', 'norm_eps': 1e-6, 'attention_bias': true}",
        "{'_class_name': 'Transformer2DModel', 'norm_type': 'ada_norm_zero', 'num_layers': 2, "
            + "'num_attention_heads': 2, 'attention_head_dim': 4, 'num_embeds_ada_norm': 5, 'sample_size': 8, "
            + "'patch_size': 2, 'in_channels': 4, 'out_channels': 8, 'norm_eps': 1e-5, 'attention_bias': true, "
            + "'num_vector_embeds': null, 'norm_elementwise_affine': false}"})
    void wrongSettingsAreFollowedOrRefused(String json, TestReporter reporter) throws InterruptedException {
        JsonObject whole = JsonParser.parseString(json.replace('\'', '"')).getAsJsonObject();

        Fuzz.Outcome outcome = new Fuzz("configurations", 512 << 20, 0).run(Fuzz.tries(6000) / 100,
            random -> {
                JsonObject copy = whole.deepCopy();
                JsonDamage.damage(copy, random);
                return copy.toString().getBytes(StandardCharsets.UTF_8);
            }, bytes -> {
                ConfigFile config = new ConfigFile(Path.of("config.json"),
                    JsonParser.parseString(new String(bytes, StandardCharsets.UTF_8)).getAsJsonObject());
                ComponentKinds.of(config).weights(config);
            });
        reporter.publishEntry("fuzz " + whole.get("_class_name"), outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }
}
