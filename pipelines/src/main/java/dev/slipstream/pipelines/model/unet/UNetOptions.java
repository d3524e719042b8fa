package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.SupportedOptions;
import java.util.Map;
import java.util.Set;

/** Which options of diffusers' {@code UNet2DConditionModel} are known, and which may only have their default. */
final class UNetOptions {
    private static final Set<String> FOLLOWED = Set.of("in_channels", "out_channels", "center_input_sample",
        "flip_sin_to_cos", "freq_shift", "down_block_types", "mid_block_type", "up_block_types",
        "only_cross_attention", "block_out_channels", "layers_per_block", "downsample_padding",
        "mid_block_scale_factor", "act_fn", "norm_num_groups", "norm_eps", "cross_attention_dim",
        "transformer_layers_per_block", "reverse_transformer_layers_per_block", "attention_head_dim",
        "num_attention_heads", "use_linear_projection", "class_embed_type", "addition_embed_type",
        "addition_time_embed_dim", "num_class_embeds", "resnet_time_scale_shift", "time_embedding_dim",
        "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim", "conv_in_kernel", "conv_out_kernel",
        "projection_class_embeddings_input_dim");

    /** What says nothing about the computation in float32: sizes of training, dropout, precision of attention. */
    private static final Set<String> WITHOUT_EFFECT = Set.of("sample_size", "dropout", "upcast_attention",
        "addition_embed_type_num_heads");

    private static final Map<String, String> ONLY = Map.ofEntries(Map.entry("dual_cross_attention", "false"),
        Map.entry("encoder_hid_dim", "null"), Map.entry("encoder_hid_dim_type", "null"),
        Map.entry("resnet_skip_time_act", "false"), Map.entry("resnet_out_scale_factor", "1"),
        Map.entry("time_embedding_type", "\"positional\""), Map.entry("attention_type", "\"default\""),
        Map.entry("class_embeddings_concat", "false"), Map.entry("mid_block_only_cross_attention", "false"),
        Map.entry("cross_attention_norm", "null"));

    /** Where {@code null} is a value of its own. */
    private static final Set<String> NEVER_NULL = Set.of("norm_num_groups", "act_fn", "cross_attention_dim",
        "down_block_types", "up_block_types", "block_out_channels", "downsample_padding", "flip_sin_to_cos");

    private static final SupportedOptions SUPPORTED = new SupportedOptions(FOLLOWED, WITHOUT_EFFECT, ONLY, NEVER_NULL);

    private UNetOptions() {
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if an option is not known or its value not supported */
    static void check(ConfigFile config) {
        SUPPORTED.check(config);
    }
}
