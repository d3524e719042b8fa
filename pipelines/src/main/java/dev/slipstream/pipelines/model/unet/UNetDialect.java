package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.model.config.SupportedOptions;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The classes of diffusers whose configurations describe U-Nets. Their options are much the same; what a class does not
 * have as an option has the value that is the default where it is one.
 */
enum UNetDialect {
    /** {@code UNet2DConditionModel}. */
    PICTURE("2D", 4, 1280, List.of(), Options.shared()
        .follow("out_channels", "up_block_types", "center_input_sample", "reverse_transformer_layers_per_block",
            "time_embedding_dim", "time_embedding_act_fn", "timestep_post_act", "time_cond_proj_dim", "conv_in_kernel",
            "conv_out_kernel")
        .follow(Options.OF_PICTURES)
        .idle("dropout", "addition_embed_type_num_heads", "upcast_attention")
        .only("dual_cross_attention", "false").only("resnet_skip_time_act", "false")
        .only("resnet_out_scale_factor", "1").only("time_embedding_type", "\"positional\"")
        .only("attention_type", "\"default\"").only("class_embeddings_concat", "false")
        .only("mid_block_only_cross_attention", "false").only("cross_attention_norm", "null")
        .neverNull("up_block_types", "flip_sin_to_cos")),
    /** {@code ControlNetModel}: the way down and the middle. */
    CONTROL("2D", 4, 1280, List.of(), Options.shared()
        .follow("conditioning_channels", "controlnet_conditioning_channel_order",
            "conditioning_embedding_out_channels", "global_pool_conditions")
        .follow(Options.OF_PICTURES)
        .idle("addition_embed_type_num_heads", "upcast_attention")
        .neverNull("flip_sin_to_cos", "mid_block_type")),
    /** {@code UNetMotionModel} of AnimateDiff. */
    MOTION("Motion", 4, 1280, List.of(), Options.shared()
        .follow("out_channels", "up_block_types", "reverse_transformer_layers_per_block", "num_attention_heads",
            "transformer_layers_per_mid_block", "mid_block_layers", "time_cond_proj_dim", "addition_embed_type",
            "addition_time_embed_dim", "projection_class_embeddings_input_dim")
        .follow(Motion.OPTIONS)
        .neverNull("up_block_types")),
    /** {@code UNetSpatioTemporalConditionModel} of Stable Video Diffusion. */
    VIDEO("SpatioTemporal", 8, 1024, List.of(5, 10, 20, 20), new Options()
        .follow("in_channels", "out_channels", "down_block_types", "up_block_types", "block_out_channels",
            "layers_per_block", "cross_attention_dim", "transformer_layers_per_block", "num_attention_heads",
            "addition_time_embed_dim", "projection_class_embeddings_input_dim")
        .idle("sample_size", "num_frames")
        .neverNull("down_block_types", "up_block_types", "block_out_channels", "cross_attention_dim"));

    private final String suffix;
    private final int inChannels;
    private final int contextWidth;
    private final List<Integer> heads;
    private final SupportedOptions options;

    UNetDialect(String suffix, int inChannels, int contextWidth, List<Integer> heads, Options options) {
        this.suffix = suffix;
        this.inChannels = inChannels;
        this.contextWidth = contextWidth;
        this.heads = heads;
        this.options = options.supported();
    }

    /** The type of a block: {@code CrossAttnDownBlock2D}. @param kind such as {@code CrossAttnDown} */
    String blockType(String kind) {
        return kind + "Block" + suffix;
    }

    /** Channels of the input where the configuration does not say it. */
    int inChannels() {
        return inChannels;
    }

    /** Channels of the text where the configuration does not say it. */
    int contextWidth() {
        return contextWidth;
    }

    /** Heads of each block where the configuration does not say it; empty if they are 8 everywhere. */
    List<Integer> heads() {
        return heads;
    }

    /** Which options a configuration may have. */
    SupportedOptions options() {
        return options;
    }

    /** Whether there is always an attending block in the middle, of which other options tell the layers. */
    boolean midAlwaysAttends() {
        return this == MOTION || this == VIDEO;
    }

    /** Collects options. */
    private static final class Options {
        static final String[] OF_PICTURES = {"flip_sin_to_cos", "freq_shift", "mid_block_type", "only_cross_attention",
            "attention_head_dim", "num_attention_heads", "class_embed_type", "addition_embed_type",
            "addition_time_embed_dim", "num_class_embeds", "resnet_time_scale_shift",
            "projection_class_embeddings_input_dim"};

        private final Set<String> followed = new HashSet<>();
        private final Set<String> idle = new HashSet<>();
        private final Map<String, String> only = new HashMap<>();
        private final Set<String> neverNull = new HashSet<>();

        /** Those of all classes but one. */
        static Options shared() {
            return new Options().follow("in_channels", "down_block_types", "block_out_channels", "layers_per_block",
                "downsample_padding", "mid_block_scale_factor", "act_fn", "norm_num_groups", "norm_eps",
                "cross_attention_dim", "transformer_layers_per_block", "use_linear_projection")
                // A training size.
                .idle("sample_size").only("encoder_hid_dim", "null").only("encoder_hid_dim_type", "null")
                .neverNull("norm_num_groups", "act_fn", "cross_attention_dim", "down_block_types",
                    "block_out_channels", "downsample_padding");
        }

        Options follow(String... names) {
            Collections.addAll(followed, names);
            return this;
        }

        /** Options that do not change the computation in float32. */
        Options idle(String... names) {
            Collections.addAll(idle, names);
            return this;
        }

        Options only(String name, String value) {
            only.put(name, value);
            return this;
        }

        /** Options for which {@code null} is a value of its own. */
        Options neverNull(String... names) {
            Collections.addAll(neverNull, names);
            return this;
        }

        SupportedOptions supported() {
            return new SupportedOptions(Set.copyOf(followed), Set.copyOf(idle), Map.copyOf(only),
                Set.copyOf(neverNull));
        }
    }
}
