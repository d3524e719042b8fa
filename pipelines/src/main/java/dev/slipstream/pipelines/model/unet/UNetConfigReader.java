package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.DenoiserConfig;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Reads diffusers' {@code config.json} of a {@code UNet2DConditionModel}. Options that are missing have diffusers'
 * defaults; those that cannot be followed are refused by name.
 */
final class UNetConfigReader {
    private static final List<Integer> DEFAULT_CHANNELS = List.of(320, 640, 1280, 1280);

    private final ConfigFile config;

    private UNetConfigReader(ConfigFile config) {
        this.config = config;
    }

    /** @throws ModelException naming the option that is missing, wrong or not supported */
    static UNetConfig read(ConfigFile config) {
        UNetOptions.check(config);
        return new UNetConfigReader(config).read();
    }

    private UNetConfig read() {
        List<Integer> channels = config.has("block_out_channels") ? integers("block_out_channels") : DEFAULT_CHANNELS;
        if (channels.isEmpty()) {
            throw config.wrong("block_out_channels", "is empty");
        }
        UNetBlocks blocks = new UNetBlocks(config, channels);
        ResnetBlock resnet = new ResnetBlock(config.positiveInteger("norm_num_groups", 32),
            config.number("norm_eps", 1e-5), Activation.of(config, "act_fn", Activation.SILU), scaleShift(), 1);
        return new UNetConfig(config.positiveInteger("in_channels", 4), config.positiveInteger("out_channels", 4),
            oddKernel("conv_in_kernel"), oddKernel("conv_out_kernel"), config.flag("center_input_sample", false),
            blocks.down(), blocks.mid(), blocks.up(), resnet, config.number("mid_block_scale_factor", 1),
            contextWidth(), config.flag("use_linear_projection", false), downPadding(),
            time(channels.getFirst(), resnet.activation()));
    }

    private List<Integer> integers(String key) {
        List<Integer> numbers = new ArrayList<>();
        config.list(key).forEach(element -> numbers.add(config.positiveInteger(key, element)));
        return Collections.unmodifiableList(numbers);
    }

    private boolean scaleShift() {
        String name = config.text("resnet_time_scale_shift").orElse("default");
        return switch (name) {
            case "default" -> false;
            case "scale_shift" -> true;
            default -> throw unsupported("resnet_time_scale_shift", name, "default and scale_shift");
        };
    }

    private int oddKernel(String key) {
        int size = config.positiveInteger(key, 3);
        if (size % 2 == 0) {
            throw config.wrong(key, "must be odd, not " + size);
        }
        return size;
    }

    private int contextWidth() {
        return config.has("cross_attention_dim") ? DenoiserConfig.crossAttentionDim(config).orElseThrow() : 1280;
    }

    private int downPadding() {
        int padding = config.element("downsample_padding").map(it -> config.index("downsample_padding", it)).orElse(1);
        if (padding > 1) {
            throw unsupported("downsample_padding", Integer.toString(padding), "0 and 1");
        }
        return padding;
    }

    private UNetConfig.Time time(int width, Activation activation) {
        if (width < 2) {
            throw config.wrong("block_out_channels", "must begin with 2 or more, not " + width);
        }
        ClassEmbedding classes = classes();
        int idWidth = idWidth();
        boolean projects = idWidth > 0 || classes == ClassEmbedding.PROJECTION
            || classes == ClassEmbedding.SIMPLE_PROJECTION;
        return new UNetConfig.Time(width, config.positiveInteger("time_embedding_dim", 4 * width),
            config.flag("flip_sin_to_cos", true), config.number("freq_shift", 0), activation,
            activation("timestep_post_act"), activation("time_embedding_act_fn"),
            config.has("time_cond_proj_dim") ? config.positiveInteger("time_cond_proj_dim") : 0, classes,
            classes == ClassEmbedding.TABLE ? config.positiveInteger("num_class_embeds") : 0,
            projects ? config.positiveInteger("projection_class_embeddings_input_dim") : 0, idWidth);
    }

    private Optional<Activation> activation(String key) {
        return config.has(key) ? Optional.of(Activation.of(config, key, Activation.SILU)) : Optional.empty();
    }

    private ClassEmbedding classes() {
        Optional<String> name = config.text("class_embed_type");
        if (name.isEmpty()) {
            return config.has("num_class_embeds") ? ClassEmbedding.TABLE : ClassEmbedding.NONE;
        }
        return switch (name.get()) {
            case "timestep" -> ClassEmbedding.TIMESTEP;
            case "identity" -> ClassEmbedding.IDENTITY;
            case "projection" -> ClassEmbedding.PROJECTION;
            case "simple_projection" -> ClassEmbedding.SIMPLE_PROJECTION;
            default -> throw unsupported("class_embed_type", name.get(),
                "timestep, identity, projection and simple_projection");
        };
    }

    private int idWidth() {
        Optional<String> name = config.text("addition_embed_type");
        if (name.isEmpty()) {
            return 0;
        }
        if (!name.get().equals("text_time")) {
            throw unsupported("addition_embed_type", name.get(), "text_time");
        }
        int width = config.positiveInteger("addition_time_embed_dim");
        if (width < 2) {
            throw config.wrong("addition_time_embed_dim", "must be 2 or more, not " + width);
        }
        return width;
    }

    private ModelException unsupported(String key, String value, String supported) {
        return config.wrong(key, "is \"" + value + "\", which is not supported; supported: " + supported);
    }
}
