package dev.slipstream.pipelines.model.pixart;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.layer.NumberEmbedding;
import dev.slipstream.pipelines.model.transformer.Attention;
import dev.slipstream.pipelines.model.transformer.FeedForward;
import dev.slipstream.pipelines.model.transformer.GridPositions;
import dev.slipstream.pipelines.model.transformer.Modulation;
import dev.slipstream.pipelines.model.transformer.Patches;
import dev.slipstream.pipelines.model.transformer.Tokens;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * diffusers' {@code PixArtTransformer2DModel} as a graph.
 *
 * <p>Inputs: {@code hidden_states} float32[batch_size, channels, height, width], the latents; {@code timestep} float32
 * (a scalar, one element or one a row); {@code encoder_hidden_states} float32[batch_size, sequence_length, width];
 * {@code encoder_attention_mask} int64[batch_size, sequence_length], 1 for tokens that are read and 0 for others, which
 * is left out if inputs are said and it is not among them; {@code resolution} float32[batch_size, 2], height and width
 * in pixels, and {@code aspect_ratio} float32[batch_size, 1], if the model is told them. Output: {@code
 * out_hidden_states} [batch_size, channels, height, width], in most models with twice the channels of latents. Height
 * and width are open multiples of the patches' side.
 */
public final class PixArtTransformer {
    private static final Dim BATCH = Dim.named("batch_size");
    private static final Dim LENGTH = Dim.named("sequence_length");
    private static final String MASK = "encoder_attention_mask";
    /** What is added where a token is not read, as diffusers does. */
    private static final double UNREAD = -10_000;
    private static final double LAST_EPSILON = 1e-6;
    /** Height, width and aspect ratio. */
    private static final int SIZES = 3;

    private final PixArtConfig config;
    private final GraphBuilder builder;
    private final Scope root;
    private final Attention attention;

    private PixArtTransformer(PixArtConfig config, GraphBuilder builder) {
        this.config = config;
        this.builder = builder;
        this.root = builder.root();
        this.attention = config.attention();
    }

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        new PixArtTransformer(PixArtConfig.read(config), builder)
            .write(options.inputs().isEmpty() || options.inputs().contains(MASK));
    }

    private void write(boolean masked) {
        Value latents = builder.input("hidden_states", DataType.FLOAT32, BATCH, Dim.of(config.inChannels()),
            Dim.named("height"), Dim.named("width"));
        Scope embedding = root.child("pos_embed");
        Patches patches = Patches.embed(embedding.child("proj"), latents, config.width(), config.patch());
        Value embedded = time();
        Scope adaptive = root.child("adaln_single");
        Value modulation = Linear.apply(adaptive.child("linear"), Activation.SILU.apply(adaptive, embedded),
            6L * config.width());
        Value text = text();
        Optional<Value> mask = masked ? Optional.of(mask()) : Optional.empty();
        Value x = embedding.add(patches.tokens(), config.positions().apply(embedding, patches, config.width()));
        for (int i = 0; i < config.layers(); i++) {
            x = block(root.child("transformer_blocks", i), x, modulation, text, mask);
        }
        List<Value> last = last(embedded);
        Value normal = Modulation.apply(root.child("norm_out"),
            Modulation.normal(root.child("norm_out"), x, LAST_EPSILON), last.get(0), last.get(1));
        Value predicted = Linear.apply(root.child("proj_out"), Tokens.matrix(root, normal),
            (long) config.patch() * config.patch() * config.outChannels());
        builder.output("out_hidden_states", patches.picture(root, predicted));
    }

    /** Timestep, and sizes where they are told. @return [rows or 1, width] */
    private Value time() {
        Scope scope = root.child("adaln_single").child("emb");
        Value time = NumberEmbedding.ofNumbers(scope.child("timestep_embedder"),
            NumberEmbedding.timestep(builder, DataType.FLOAT32), config.width());
        if (!config.told()) {
            return time;
        }
        Value size = told(scope.child("resolution_embedder"),
            builder.input("resolution", DataType.FLOAT32, BATCH, Dim.of(2)));
        Value ratio = told(scope.child("aspect_ratio_embedder"),
            builder.input("aspect_ratio", DataType.FLOAT32, BATCH, Dim.ONE));
        return scope.add(time, scope.concat(1, size, ratio));
    }

    /** Each number becomes a third of the width. */
    private Value told(Scope scope, Value numbers) {
        Value each = NumberEmbedding.ofNumbers(scope, NumberEmbedding.column(scope, numbers), config.width() / SIZES);
        return scope.reshape(each, BATCH, each.dim(1).times(numbers.dim(1)));
    }

    private Value text() {
        Value states = builder.input("encoder_hidden_states", DataType.FLOAT32, BATCH, LENGTH,
            Dim.of(config.textWidth().orElse(config.contextWidth())));
        return config.textWidth().isEmpty() ? states : Tokens.rows(root, NumberEmbedding.mlp(
            root.child("caption_projection"), Tokens.matrix(root, states), config.width(), Activation.GELU_TANH),
            states);
    }

    /** @return [rows, 1, 1, tokens], to be added to products */
    private Value mask() {
        Value read = root.cast(builder.input(MASK, DataType.INT64, BATCH, LENGTH), DataType.FLOAT32);
        Value added = root.mul(root.sub(root.scalar(1), read), root.scalar(UNREAD));
        return root.reshape(added, BATCH, Dim.ONE, Dim.ONE, LENGTH);
    }

    /** diffusers' {@code BasicTransformerBlock} with {@code ada_norm_single}. */
    private Value block(Scope scope, Value x, Value modulation, Value text, Optional<Value> mask) {
        // Shift, scale and gate of the attention, then of the feed-forward network.
        Value table = scope.view("scale_shift_table", new long[] {6, config.width()}, 1, 6L * config.width());
        List<Value> parts = Modulation.parts(scope, scope.add(table, modulation), 6);
        Scope norm1 = scope.child("norm1");
        Value first = Modulation.apply(norm1, Modulation.normal(norm1, x, config.epsilon()), parts.get(0),
            parts.get(1));
        Value own = Modulation.gated(scope, x, parts.get(2),
            attention.apply(scope.child("attn1"), first, first, Optional.empty()));
        // The text is read by what is not normalised, and without a gate.
        Value told = scope.add(own, Tokens.rows(scope, attention.apply(scope.child("attn2"), own, text, mask), own));
        Scope norm2 = scope.child("norm2");
        Value second = Modulation.apply(norm2, Modulation.normal(norm2, told, config.epsilon()), parts.get(3),
            parts.get(4));
        return Modulation.gated(scope, told, parts.get(5),
            FeedForward.apply(scope.child("ff"), Tokens.matrix(norm2, second)));
    }

    /** Shift and scale of the last norm, [rows or 1, 1, width]. */
    private List<Value> last(Value embedded) {
        Value twice = root.concat(1, embedded, embedded);
        Value table = root.view("scale_shift_table", new long[] {2, config.width()}, 1, 2L * config.width());
        return Modulation.parts(root, root.add(table, twice), 2);
    }

    /**
     * The settings of a {@code PixArtTransformer2DModel}, with diffusers' defaults filled in.
     *
     * @param patch latent pixels along a side of a patch
     * @param epsilon of the blocks' norms
     * @param contextWidth channels that the text has where blocks read it
     * @param textWidth channels of {@code encoder_hidden_states}, if they are projected first
     * @param told whether the model is told the picture's size and aspect ratio
     */
    private record PixArtConfig(int inChannels, int outChannels, int patch, int layers, Attention attention,
        double epsilon, int contextWidth, OptionalInt textWidth, boolean told, GridPositions positions) {

        /** The only side, in latents, at which diffusers takes it that a model is told sizes. */
        private static final int TOLD_SIDE = 128;
        private static final int SIDE_OF_POSITIONS = 64;
        private static final String TOLD = "use_additional_conditions";

        /** Those of {@code Transformer2DModel}, as older configurations are, included. */
        private static final SupportedOptions SUPPORTED = new SupportedOptions(
            Set.of("in_channels", "out_channels", "patch_size", "num_layers", "num_attention_heads",
                "attention_head_dim", "attention_bias", "norm_eps", "cross_attention_dim", "caption_channels",
                TOLD, "interpolation_scale", "sample_size"),
            Set.of("dropout", "upcast_attention", "norm_num_groups", "num_embeds_ada_norm"),
            Map.of("activation_fn", "\"gelu-approximate\"", "norm_type", "\"ada_norm_single\"",
                "norm_elementwise_affine", "false", "attention_type", "\"default\"", "double_self_attention", "false",
                "only_cross_attention", "false", "num_vector_embeds", "null", "use_linear_projection", "false"),
            Set.of("cross_attention_dim", "sample_size", "patch_size", "attention_bias"));

        /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
        static PixArtConfig read(ConfigFile config) {
            SUPPORTED.check(config);
            Attention attention = Attention.read(config, 16, 72, config.flag("attention_bias", true), false);
            int in = config.positiveInteger("in_channels", 4);
            int patch = config.positiveInteger("patch_size", 2);
            int side = config.positiveInteger("sample_size", 128);
            int context = config.positiveInteger("cross_attention_dim", 1152);
            OptionalInt text = config.has("caption_channels")
                ? OptionalInt.of(config.positiveInteger("caption_channels")) : OptionalInt.empty();
            if (text.isPresent() && context != attention.width()) {
                throw config.wrong("cross_attention_dim", "is " + context + ", but a text with caption_channels is "
                    + "projected to " + attention.width());
            }
            // diffusers' default is a number, not the channels that come in.
            int out = config.root().has("out_channels") ? config.positiveInteger("out_channels", in) : 8;
            boolean told = config.flag(TOLD, side == TOLD_SIDE);
            if (told && attention.width() % SIZES != 0) {
                throw config.wrong(TOLD, "is true, and three sizes cannot share " + attention.width() + " channels");
            }
            double interpolation = config.number("interpolation_scale", Math.max(side / SIDE_OF_POSITIONS, 1));
            return new PixArtConfig(in, out, patch, config.positiveInteger("num_layers", 28), attention,
                config.number("norm_eps", 1e-6), context, text, told,
                GridPositions.read(config, side, patch, interpolation, attention.width()));
        }

        int width() {
            return attention.width();
        }
    }
}
