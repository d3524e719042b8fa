package dev.slipstream.pipelines.model.vae;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Conv2d;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes both halves of diffusers' {@code AutoencoderTiny} (TAESD): a small network that works on the latents of the
 * diffusion as they are, for previews and where speed counts more than detail.
 *
 * @see <a href="https://github.com/madebyollin/taesd">Tiny AutoEncoder for Stable Diffusion</a>
 */
public final class AutoencoderTiny {
    /** Output of the encoder: latents, not the parameters of a distribution. */
    public static final String LATENTS = "latents";

    private final TinyConfig config;

    private AutoencoderTiny(ConfigFile config) {
        this.config = TinyConfig.read(config);
    }

    /**
     * From {@code sample} float32[batch_size, 3, height, width], values from -1 to 1, to {@code latents}
     * float32[batch_size, channels, height / 8, width / 8].
     */
    public static void writeEncoder(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new AutoencoderTiny(config).writeEncoder(graph);
    }

    /**
     * From {@code latent_sample} float32[batch_size, channels, height_latent, width_latent] to {@code sample}
     * float32[batch_size, 3, 8 · height_latent, 8 · width_latent], values from about -1 to 1.
     */
    public static void writeDecoder(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new AutoencoderTiny(config).writeDecoder(graph);
    }

    private void writeEncoder(GraphBuilder graph) {
        Scope root = graph.root();
        Value x = graph.input(AutoencoderKl.SAMPLE, DataType.FLOAT32, Dim.named("batch_size"),
            Dim.of(config.pictureChannels()), Dim.named("height"), Dim.named("width"));
        x = root.div(root.add(x, root.scalar(1)), root.scalar(2));
        Layers layers = new Layers(root.child("encoder"));
        for (int stage = 0; stage < config.encoderBlocks().size(); stage++) {
            x = stage == 0 ? Conv2d.apply(layers.next(), x, config.encoderWidth(), 3)
                : Conv2d.halvingWithoutBias(layers.next(), x, config.encoderWidth());
            for (int i = 0; i < config.encoderBlocks().get(stage); i++) {
                x = block(layers.next(), x);
            }
        }
        graph.output(LATENTS, Conv2d.apply(layers.next(), x, config.latentChannels(), 3));
    }

    private void writeDecoder(GraphBuilder graph) {
        Scope root = graph.root();
        Value x = graph.input(AutoencoderKl.LATENT_SAMPLE, DataType.FLOAT32, Dim.named("batch_size"),
            Dim.of(config.latentChannels()), Dim.named("height_latent"), Dim.named("width_latent"));
        // Within 3 of zero, smoothly.
        x = root.mul(root.map("Tanh", root.div(x, root.scalar(3))), root.scalar(3));
        Layers layers = new Layers(root.child("decoder"));
        x = config.activation().apply(root, Conv2d.apply(layers.next(), x, config.decoderWidth(), 3));
        layers.next();
        int last = config.decoderBlocks().size() - 1;
        for (int stage = 0; stage <= last; stage++) {
            for (int i = 0; i < config.decoderBlocks().get(stage); i++) {
                x = block(layers.next(), x);
            }
            x = stage == last ? Conv2d.apply(layers.next(), x, config.decodedChannels(), 3)
                : Conv2d.withoutBias(layers.after(1), layers.here().enlarge(x, config.enlargement()),
                    config.decoderWidth(), 3);
        }
        graph.output(AutoencoderKl.SAMPLE, root.sub(root.mul(x, root.scalar(2)), root.scalar(1)));
    }

    /**
     * diffusers' {@code AutoencoderTinyBlock}: three convolutions and a shortcut, rectified whatever the activation.
     */
    private Value block(Scope scope, Value x) {
        Scope convolutions = scope.child("conv");
        long width = x.size(1);
        Value hidden = x;
        for (int i = 0; i < 3; i++) {
            hidden = Conv2d.apply(convolutions.child(Integer.toString(2 * i)), hidden, width, 3);
            hidden = i < 2 ? config.activation().apply(convolutions, hidden) : hidden;
        }
        return Activation.RELU.apply(scope, scope.add(hidden, x));
    }

    /** The layers of a {@code Sequential}, which are numbered through. */
    private static final class Layers {
        private final Scope scope;
        private int count;

        Layers(Scope scope) {
            this.scope = scope;
        }

        /** The next layer. */
        Scope next() {
            return scope.child("layers", count++);
        }

        /** The layer after so many that have no weights. */
        Scope after(int skipped) {
            count += skipped;
            return next();
        }

        Scope here() {
            return scope;
        }
    }

    /**
     * The settings, with diffusers' defaults filled in.
     *
     * @param encoderBlocks residual blocks of each stage, the first at full size
     * @param decoderBlocks residual blocks of each stage, the last at full size
     * @param enlargement of height and width after each stage of the decoder but the last
     */
    private record TinyConfig(int pictureChannels, int decodedChannels, int latentChannels, int encoderWidth,
        int decoderWidth, List<Integer> encoderBlocks, List<Integer> decoderBlocks, Activation activation,
        int enlargement) {

        private static final String ENCODER_WIDTHS = "encoder_block_out_channels";
        private static final String DECODER_WIDTHS = "decoder_block_out_channels";
        private static final String ENCODER_BLOCKS = "num_encoder_blocks";
        private static final String DECODER_BLOCKS = "num_decoder_blocks";
        /** More than any model has; a damaged file must not ask for millions. */
        private static final int MOST_BLOCKS = 1000;

        /** Latents in bytes have a range of their own, and scaling is for the diffusion. */
        private static final SupportedOptions SUPPORTED = new SupportedOptions(Set.of("in_channels", "out_channels",
            "latent_channels", ENCODER_WIDTHS, DECODER_WIDTHS, ENCODER_BLOCKS, DECODER_BLOCKS, "act_fn",
            "upsampling_scaling_factor", "scaling_factor", "shift_factor", "block_out_channels"),
            Set.of("force_upcast", "latent_magnitude", "latent_shift", "sample_size"),
            Map.of("upsample_fn", "\"nearest\""), Set.of("act_fn"));

        static TinyConfig read(ConfigFile config) {
            SUPPORTED.check(config);
            List<Integer> encoderBlocks = blocks(config, ENCODER_BLOCKS, List.of(1, 3, 3, 3));
            List<Integer> decoderBlocks = blocks(config, DECODER_BLOCKS, List.of(3, 3, 3, 1));
            return new TinyConfig(config.positiveInteger("in_channels", 3), config.positiveInteger("out_channels", 3),
                config.positiveInteger("latent_channels", 4), width(config, ENCODER_WIDTHS, encoderBlocks.size()),
                width(config, DECODER_WIDTHS, decoderBlocks.size()), encoderBlocks, decoderBlocks,
                Activation.of(config, "act_fn", Activation.RELU),
                config.positiveInteger("upsampling_scaling_factor", 2));
        }

        /** The convolution of a stage takes as many channels as it makes, so all stages have one width. */
        private static int width(ConfigFile config, String key, int stages) {
            if (!config.has(key)) {
                return 64;
            }
            List<Integer> widths = config.list(key).stream().map(it -> config.positiveInteger(key, it)).toList();
            if (widths.size() != stages || widths.stream().distinct().count() != 1) {
                throw config.wrong(key, "must have the same width for each of the " + stages
                    + " stages, not " + widths);
            }
            return widths.getFirst();
        }

        private static List<Integer> blocks(ConfigFile config, String key, List<Integer> otherwise) {
            if (!config.has(key)) {
                return otherwise;
            }
            List<Integer> blocks = config.list(key).stream().map(it -> config.index(key, it)).toList();
            if (blocks.isEmpty() || blocks.stream().anyMatch(count -> count > MOST_BLOCKS)
                || blocks.size() > MOST_BLOCKS) {
                throw config.wrong(key, "must have a number for each stage, at most " + MOST_BLOCKS + ", not "
                    + blocks);
            }
            return blocks;
        }
    }
}
