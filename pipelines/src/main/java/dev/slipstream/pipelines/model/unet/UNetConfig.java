package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.ResnetBlock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The settings of a U-Net, with defaults filled in.
 *
 * @param resnet what all residual blocks have in common
 * @param midScale what the residual blocks of the middle divide their sums by
 * @param contextWidth channels of {@code encoder_hidden_states}
 * @param linearProjection whether transformers begin and end with a linear layer, not a convolution
 * @param time how the timestep and all conditions except the text are embedded
 */
record UNetConfig(int inChannels, int outChannels, int convInKernel, int convOutKernel, boolean centerInput,
    UNetBlocks blocks, ResnetBlock resnet, double midScale, int contextWidth, boolean linearProjection, Time time) {

    /**
     * @param width of the sinusoids
     * @param embedding width of the embedding that residual blocks read
     * @param cosineFirst whether cosines come before sines
     * @param frequencyShift taken from the number of frequencies when they are spaced
     * @param activation between the linear layers
     * @param afterTime applied to the embedded timestep
     * @param afterAll applied to the sum of all embeddings
     * @param guidanceWidth of {@code timestep_cond}; 0 if there is none
     * @param classes how {@code class_labels} are embedded
     * @param classCount rows of their table
     * @param projectionWidth width of the input of their projection, or of SDXL's
     * @param additions what else is embedded and added
     * @param idWidth of the sinusoids of each of its ids; 0 without any
     */
    record Time(int width, int embedding, boolean cosineFirst, double frequencyShift, Activation activation,
        Optional<Activation> afterTime, Optional<Activation> afterAll, int guidanceWidth, ClassEmbedding classes,
        int classCount, int projectionWidth, Additions additions, int idWidth) {
    }

    /** What is embedded and added to the time, apart from classes. */
    enum Additions {
        NONE,
        /** SDXL's pooled text and sizes: {@code text_embeds} and {@code time_ids}. */
        TEXT_AND_SIZES,
        /** What Stable Video Diffusion is told of a video: {@code added_time_ids}. */
        VIDEO
    }

    /**
     * Reads diffusers' {@code config.json} of a {@code UNet2DConditionModel}.
     *
     * @throws ModelException naming the option that is missing, wrong or not supported
     */
    static UNetConfig read(ConfigFile config) {
        return read(config, UNetDialect.PICTURE);
    }

    /** Reads the {@code config.json} of another class of U-Nets. */
    static UNetConfig read(ConfigFile config, UNetDialect dialect) {
        dialect.options().check(config);
        return new Reader(config, dialect).read();
    }

    /** How {@code class_labels} are embedded, in the words of diffusers' {@code class_embed_type}. */
    enum ClassEmbedding {
        /** There are none. */
        NONE,
        /** As a row of a table, for whole numbers; diffusers' option for it is {@code num_class_embeds}. */
        TABLE,
        /** Like the timestep, with weights of their own. */
        TIMESTEP,
        /** As they are. */
        IDENTITY,
        /** By two linear layers. */
        PROJECTION,
        /** By one linear layer. */
        SIMPLE_PROJECTION
    }

    /**
     * Reads the options, which are known to be of the class. Those that are missing have diffusers' defaults; values
     * that are not supported are refused by name.
     */
    private static final class Reader {
        private static final List<Integer> DEFAULT_CHANNELS = List.of(320, 640, 1280, 1280);

        private final ConfigFile config;
        private final UNetDialect dialect;

        Reader(ConfigFile config, UNetDialect dialect) {
            this.config = config;
            this.dialect = dialect;
        }

        UNetConfig read() {
            List<Integer> channels =
                config.has("block_out_channels") ? integers("block_out_channels") : DEFAULT_CHANNELS;
            if (channels.isEmpty()) {
                throw config.wrong("block_out_channels", "is empty");
            }
            UNetBlock.Reader blocks = new UNetBlock.Reader(config, channels, dialect);
            ResnetBlock resnet = new ResnetBlock(config.positiveInteger("norm_num_groups", 32),
                config.number("norm_eps", 1e-5), Activation.of(config, "act_fn", Activation.SILU), scaleShift(), 1);
            return new UNetConfig(config.positiveInteger("in_channels", dialect.inChannels()),
                config.positiveInteger("out_channels", 4), oddKernel("conv_in_kernel"), oddKernel("conv_out_kernel"),
                config.flag("center_input_sample", false),
                new UNetBlocks(blocks.down(), blocks.mid(), blocks.up(), downPadding()), resnet,
                config.number("mid_block_scale_factor", 1), contextWidth(),
                config.flag("use_linear_projection", false), time(channels.getFirst(), resnet.activation()));
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
            return config.has("cross_attention_dim") ? DenoiserConfig.crossAttentionDim(config).orElseThrow()
                : dialect.contextWidth();
        }

        private int downPadding() {
            int padding = config.element("downsample_padding").map(it -> config.index("downsample_padding", it))
                .orElse(1);
            if (padding > 1) {
                throw unsupported("downsample_padding", Integer.toString(padding), "0 and 1");
            }
            return padding;
        }

        private Time time(int width, Activation activation) {
            if (width < 2) {
                throw config.wrong("block_out_channels", "must begin with 2 or more, not " + width);
            }
            ClassEmbedding classes = classes();
            Additions additions = additions();
            boolean projects = additions == Additions.TEXT_AND_SIZES || classes == ClassEmbedding.PROJECTION
                || classes == ClassEmbedding.SIMPLE_PROJECTION;
            int idWidth = idWidth(additions);
            String projection = "projection_class_embeddings_input_dim";
            return new Time(width, config.positiveInteger("time_embedding_dim", 4 * width),
                config.flag("flip_sin_to_cos", true), config.number("freq_shift", 0), activation,
                activation("timestep_post_act"), activation("time_embedding_act_fn"),
                config.has("time_cond_proj_dim") ? config.positiveInteger("time_cond_proj_dim") : 0, classes,
                classes == ClassEmbedding.TABLE ? config.positiveInteger("num_class_embeds") : 0,
                additions == Additions.VIDEO ? config.positiveInteger(projection, 768)
                    : projects ? config.positiveInteger(projection) : 0, additions, idWidth);
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

        private Additions additions() {
            Optional<String> name = config.text("addition_embed_type");
            if (name.isEmpty()) {
                return dialect == UNetDialect.VIDEO ? Additions.VIDEO : Additions.NONE;
            }
            if (!name.get().equals("text_time")) {
                throw unsupported("addition_embed_type", name.get(), "text_time");
            }
            return Additions.TEXT_AND_SIZES;
        }

        private int idWidth(Additions additions) {
            String key = "addition_time_embed_dim";
            int width = switch (additions) {
                case NONE -> 0;
                case TEXT_AND_SIZES -> config.positiveInteger(key);
                case VIDEO -> config.positiveInteger(key, 256);
            };
            if (width == 1) {
                throw config.wrong(key, "must be 2 or more, not " + width);
            }
            return width;
        }

        private ModelException unsupported(String key, String value, String supported) {
            return config.wrong(key, "is \"" + value + "\", which is not supported; supported: " + supported);
        }
    }
}
