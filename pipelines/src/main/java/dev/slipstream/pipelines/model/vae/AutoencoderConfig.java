package dev.slipstream.pipelines.model.vae;

import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The settings of an {@code AutoencoderKL} and its relatives, with diffusers' defaults filled in.
 *
 * @param pictureChannels of what is encoded
 * @param decodedChannels of what is decoded
 * @param down the encoder's blocks in the order in which they run
 * @param up the decoder's blocks in the order in which they run
 * @param layers residual blocks in each block of the encoder; the decoder's have one more
 * @param groups of all norms
 * @param activation in residual blocks
 * @param midAttention whether there is attention between the two residual blocks of the middle
 * @param quantConv whether a convolution follows the encoder
 * @param postQuantConv whether a convolution comes before the decoder
 */
record AutoencoderConfig(int pictureChannels, int decodedChannels, int latentChannels, List<Block> down,
    List<Block> up, int layers, int groups, Activation activation, boolean midAttention, boolean quantConv,
    boolean postQuantConv) {

    /** A block of the encoder or decoder. @param attends whether attention follows each of its residual blocks */
    record Block(int channels, boolean attends) {
    }

    private static final String WIDTHS = "block_out_channels";
    private static final List<Integer> DEFAULT_WIDTHS = List.of(64);

    /**
     * All of diffusers' options of an {@code AutoencoderKL}. Those about latents and sizes are for {@code
     * DecoderConfig}.
     */
    private static final SupportedOptions SUPPORTED = new SupportedOptions(Set.of("in_channels", "out_channels",
        "latent_channels", "down_block_types", "up_block_types", WIDTHS, "layers_per_block", "act_fn",
        "norm_num_groups", "mid_block_add_attention", "use_quant_conv", "use_post_quant_conv",
        "scaling_factor", "shift_factor", "latents_mean", "latents_std", "sample_size"),
        // Says in which precision the original implementation runs the model.
        Set.of("force_upcast"), Map.of(),
        Set.of("act_fn", "norm_num_groups", "mid_block_add_attention", "use_quant_conv", "use_post_quant_conv"));

    /** The same of an {@code AutoencoderKLTemporalDecoder}. */
    private static final SupportedOptions SUPPORTED_TEMPORAL = new SupportedOptions(Set.of("in_channels",
        "out_channels", "latent_channels", "down_block_types", WIDTHS, "layers_per_block", "scaling_factor",
        "sample_size"), Set.of("force_upcast"), Map.of(), Set.of());

    private static final int USUAL_GROUPS = 32;
    /** More than any model has; a damaged file must not ask for millions. */
    private static final int MOST_LAYERS = 1000;

    private static final Map<String, Boolean> DOWN = Map.of("DownEncoderBlock2D", false,
        "AttnDownEncoderBlock2D", true);
    private static final Map<String, Boolean> UP = Map.of("UpDecoderBlock2D", false, "AttnUpDecoderBlock2D", true);

    AutoencoderConfig {
        down = List.copyOf(down);
        up = List.copyOf(up);
    }

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    static AutoencoderConfig read(ConfigFile config) {
        check(config, "AutoencoderKL", SUPPORTED);
        int groups = config.positiveInteger("norm_num_groups", USUAL_GROUPS);
        List<Integer> widths = widths(config, groups, "norm_num_groups");
        return new AutoencoderConfig(config.positiveInteger("in_channels", 3),
            config.positiveInteger("out_channels", 3), config.positiveInteger("latent_channels", 4),
            blocks(config, "down_block_types", DOWN, "DownEncoderBlock2D", widths),
            blocks(config, "up_block_types", UP, "UpDecoderBlock2D", widths.reversed()),
            layers(config), groups,
            Activation.of(config, "act_fn", Activation.SILU), config.flag("mid_block_add_attention", true),
            config.flag("use_quant_conv", true), config.flag("use_post_quant_conv", true));
    }

    /**
     * Of an {@code AutoencoderKLTemporalDecoder}, whose decoder's blocks mirror the encoder's. Groups and activation
     * are none of its options.
     *
     * @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported
     */
    static AutoencoderConfig readTemporal(ConfigFile config) {
        check(config, "AutoencoderKLTemporalDecoder", SUPPORTED_TEMPORAL);
        List<Integer> widths = widths(config, USUAL_GROUPS, WIDTHS);
        return new AutoencoderConfig(config.positiveInteger("in_channels", 3),
            config.positiveInteger("out_channels", 3), config.positiveInteger("latent_channels", 4),
            blocks(config, "down_block_types", DOWN, "DownEncoderBlock2D", widths),
            widths.reversed().stream().map(width -> new Block(width, false)).toList(), layers(config), USUAL_GROUPS,
            Activation.SILU, true, true, false);
    }

    private static void check(ConfigFile config, String supported, SupportedOptions options) {
        String name = config.text("_class_name").orElse(supported);
        if (!name.equals(supported)) {
            throw config.wrong("_class_name", "is " + name + ", which is not supported; supported is " + supported);
        }
        options.check(config);
    }

    /** @param key the option to blame if groups do not divide a width */
    private static List<Integer> widths(ConfigFile config, int groups, String key) {
        List<Integer> widths = config.has(WIDTHS)
            ? config.list(WIDTHS).stream().map(it -> config.positiveInteger(WIDTHS, it)).toList() : DEFAULT_WIDTHS;
        widths.stream().filter(width -> width % groups != 0).findFirst().ifPresent(width -> {
            throw config.wrong(key, key.equals(WIDTHS) ? "has " + width + ", which is no multiple of the " + groups
                + " groups of its norms" : "is " + groups + ", which does not divide the width " + width + " of "
                + WIDTHS);
        });
        return widths;
    }

    private static int layers(ConfigFile config) {
        int layers = config.positiveInteger("layers_per_block", 1);
        if (layers > MOST_LAYERS) {
            throw config.wrong("layers_per_block", "must be at most " + MOST_LAYERS + ", not " + layers);
        }
        return layers;
    }

    private static List<Block> blocks(ConfigFile config, String key, Map<String, Boolean> supported,
        String otherwise,
        List<Integer> widths) {
        List<String> types = config.has(key) ? config.list(key).stream().map(it -> config.text(key, it)).toList()
            : List.of(otherwise);
        if (types.isEmpty() || types.size() != widths.size()) {
            throw config.wrong(key, "must have one block for each of the " + widths.size() + " widths of " + WIDTHS
                + ", not " + types.size());
        }
        types.stream().filter(type -> !supported.containsKey(type)).findFirst().ifPresent(type -> {
            throw config.wrong(key, "has " + type + ", which is not supported; supported are "
                + String.join(" and ", supported.keySet().stream().sorted().toList()));
        });
        return IntStream.range(0, widths.size())
            .mapToObj(i -> new Block(widths.get(i), supported.get(types.get(i)))).toList();
    }
}
