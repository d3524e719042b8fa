package dev.slipstream.pipelines.model.mmdit;

import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.transformer.Attention;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The settings of an {@code SD3Transformer2DModel} or an {@code SD3ControlNetModel}, with diffusers' defaults filled
 * in.
 *
 * @param patch latent pixels along a side of a patch
 * @param textWidth channels of {@code encoder_hidden_states}
 * @param pooledWidth channels of {@code pooled_projections}
 * @param positions patches along a side of the table of positions, which is the largest picture
 * @param dual layers in which the picture attends to itself once more
 * @param extraChannels of a ControlNet's picture, beside those of latents
 */
record Sd3Config(int inChannels, int outChannels, int patch, int layers, Attention attention, int textWidth,
    int pooledWidth, int positions, Set<Integer> dual, int extraChannels) {

    private static final String DUAL = "dual_attention_layers";
    private static final String QK_NORM = "qk_norm";
    private static final String EXTRA = "extra_conditioning_channels";

    private static final Set<String> FOLLOWED = Set.of("in_channels", "out_channels", "patch_size", "num_layers",
        "num_attention_heads", "attention_head_dim", "joint_attention_dim", "caption_projection_dim",
        "pooled_projection_dim", "pos_embed_max_size", DUAL, QK_NORM);
    private static final Set<String> NEVER_NULL = Set.of("joint_attention_dim", "caption_projection_dim",
        "pooled_projection_dim", "pos_embed_max_size", "patch_size", "in_channels");
    private static final SupportedOptions OF_TRANSFORMER =
        new SupportedOptions(FOLLOWED, Set.of("sample_size"), Map.of(), NEVER_NULL);
    // Whether pooled texts are zeros is for the pipeline that gives them.
    private static final SupportedOptions OF_CONTROL_NET = new SupportedOptions(
        Stream.concat(FOLLOWED.stream(), Stream.of(EXTRA)).collect(Collectors.toSet()),
        Set.of("sample_size", "force_zeros_for_pooled_projection"),
        Map.of("pos_embed_type", "\"sincos\"", "use_pos_embed", "true"), NEVER_NULL);

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    static Sd3Config ofTransformer(ConfigFile config) {
        OF_TRANSFORMER.check(config);
        return read(config);
    }

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    static Sd3Config ofControlNet(ConfigFile config) {
        OF_CONTROL_NET.check(config);
        return read(config);
    }

    private static Sd3Config read(ConfigFile config) {
        int layers = config.positiveInteger("num_layers", 18);
        Attention attention = Attention.read(config, 18, 64, true, normalized(config));
        int caption = config.positiveInteger("caption_projection_dim", 1152);
        if (caption != attention.width()) {
            throw config.wrong("caption_projection_dim", "is " + caption + ", but both streams must be as wide as all "
                + "heads together, " + attention.width());
        }
        int in = config.positiveInteger("in_channels", 16);
        // diffusers' default is a number, not the channels that come in.
        int out = config.root().has("out_channels") ? config.positiveInteger("out_channels", in) : 16;
        return new Sd3Config(in, out, config.positiveInteger("patch_size", 2), layers, attention,
            config.positiveInteger("joint_attention_dim", 4096), config.positiveInteger("pooled_projection_dim", 2048),
            config.positiveInteger("pos_embed_max_size", 96), dual(config, layers), extraChannels(config));
    }

    private static boolean normalized(ConfigFile config) {
        config.text(QK_NORM).filter(name -> !name.equals("rms_norm")).ifPresent(name -> {
            throw config.wrong(QK_NORM, "is \"" + name + "\", which is not supported; supported are rms_norm and null");
        });
        return config.has(QK_NORM);
    }

    private static int extraChannels(ConfigFile config) {
        return config.element(EXTRA).map(value -> config.index(EXTRA, value) == 0 ? 0
            : config.positiveInteger(EXTRA, value)).orElse(0);
    }

    private static Set<Integer> dual(ConfigFile config, int layers) {
        Set<Integer> dual = new HashSet<>();
        config.list(DUAL).forEach(element -> {
            int layer = config.index(DUAL, element);
            if (layer >= layers) {
                throw config.wrong(DUAL, "has " + layer + ", but there are only " + layers + " layers, from 0 on");
            }
            dual.add(layer);
        });
        return Set.copyOf(dual);
    }

    /** Channels of both streams. */
    int width() {
        return attention.width();
    }
}
