package dev.slipstream.pipelines.model.flux;

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
import dev.slipstream.pipelines.model.transformer.Attention.Layers;
import dev.slipstream.pipelines.model.transformer.Attention.Parts;
import dev.slipstream.pipelines.model.transformer.Attention;
import dev.slipstream.pipelines.model.transformer.FeedForward;
import dev.slipstream.pipelines.model.transformer.Modulation;
import dev.slipstream.pipelines.model.transformer.Rotation;
import dev.slipstream.pipelines.model.transformer.Tokens;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * diffusers' {@code FluxTransformer2DModel} as a graph.
 *
 * <p>Inputs, float32: {@code hidden_states} [batch_size, tokens, channels], the latents packed in patches of 2 by 2;
 * {@code encoder_hidden_states} [batch_size, sequence_length, width] and {@code pooled_projections} [batch_size,
 * width]; {@code timestep}, a noise level of at most 1 (a scalar, one element or one a row); {@code guidance}
 * [batch_size] if the model was taught it; {@code img_ids} [tokens, axes] and {@code txt_ids} [sequence_length, axes],
 * the positions. Output: {@code out_hidden_states} [batch_size, tokens, channels].
 */
public final class FluxTransformer {
    private static final Dim BATCH = Dim.named("batch_size");
    private static final double EPSILON = 1e-6;
    /** Noise levels and guidance are embedded in thousandths. */
    private static final double THOUSANDTHS = 1000;

    private final FluxConfig config;
    private final GraphBuilder builder;
    private final Scope root;

    private FluxTransformer(FluxConfig config, GraphBuilder builder) {
        this.config = config;
        this.builder = builder;
        this.root = builder.root();
    }

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        new FluxTransformer(FluxConfig.read(config), builder).write();
    }

    private void write() {
        Value picture = embedded("x_embedder", builder.input("hidden_states", DataType.FLOAT32, BATCH,
            Dim.named("tokens"), Dim.of(config.inChannels())));
        Value text = embedded("context_embedder", builder.input("encoder_hidden_states", DataType.FLOAT32, BATCH,
            Dim.named("sequence_length"), Dim.of(config.textWidth())));
        Value conditions = conditions();
        FluxBlocks blocks = new FluxBlocks(config.attention(), rotation(), conditions);
        FluxBlocks.Streams streams = new FluxBlocks.Streams(picture, text);
        for (int i = 0; i < config.layers(); i++) {
            streams = blocks.two(root.child("transformer_blocks", i), streams);
        }
        Value out = streams.picture();
        if (config.singleLayers() > 0) {
            Value both = root.concat(1, streams.text(), streams.picture());
            for (int i = 0; i < config.singleLayers(); i++) {
                both = blocks.one(root.child("single_transformer_blocks", i), both);
            }
            out = root.split(both, 1, List.of(text, picture)).getLast();
        }
        Value normal = Modulation.continuous(root.child("norm_out"), out, conditions, EPSILON);
        builder.output("out_hidden_states", Tokens.rows(root, Linear.apply(root.child("proj_out"),
            Tokens.matrix(root, normal), config.outChannels()), normal));
    }

    private Value embedded(String layer, Value x) {
        return Tokens.rows(root, Linear.apply(root.child(layer), Tokens.matrix(root, x), config.width()), x);
    }

    /** Timestep, guidance and pooled text, activated. @return [rows, width] */
    private Value conditions() {
        Scope embedding = root.child("time_text_embed");
        Value pooled = builder.input("pooled_projections", DataType.FLOAT32, BATCH, Dim.of(config.pooledWidth()));
        Value sum = inThousandths(embedding, "timestep_embedder", NumberEmbedding.timestep(builder, DataType.FLOAT32));
        if (config.guided()) {
            Value guidance = NumberEmbedding.column(embedding, builder.input("guidance", DataType.FLOAT32, BATCH));
            sum = embedding.add(sum, inThousandths(embedding, "guidance_embedder", guidance));
        }
        Value text = NumberEmbedding.mlp(embedding.child("text_embedder"), pooled, config.width(), Activation.SILU);
        return Activation.SILU.apply(embedding, embedding.add(sum, text));
    }

    private Value inThousandths(Scope embedding, String embedder, Value number) {
        Scope scope = embedding.child(embedder);
        return NumberEmbedding.ofNumbers(scope, scope.mul(number, scope.scalar(THOUSANDTHS)), config.width());
    }

    private Rotation rotation() {
        Scope scope = root.child("pos_embed");
        Value text = builder.input("txt_ids", DataType.FLOAT32, Dim.named("sequence_length"),
            Dim.of(config.axes().size()));
        Value picture = builder.input("img_ids", DataType.FLOAT32, Dim.named("tokens"), Dim.of(config.axes().size()));
        return Rotation.of(scope, text, config.axes()).then(scope, Rotation.of(scope, picture, config.axes()));
    }

    /**
     * The blocks of FLUX. Tokens of the text come first wherever both are together.
     *
     * @param rotation of the tokens of both
     * @param conditions activated, [rows, width]
     */
    private record FluxBlocks(Attention attention, Rotation rotation, Value conditions) {
        /** The streams between blocks. @param picture [rows, patches, width] @param text [rows, tokens, width] */
        record Streams(Value picture, Value text) {
        }

        /** diffusers' {@code FluxTransformerBlock}: picture and text with weights of their own attend to both. */
        Streams two(Scope scope, Streams streams) {
            Side picture = side(scope, "norm1", streams.picture());
            Side text = side(scope, "norm1_context", streams.text());
            Scope joint = scope.child("attn");
            Parts parts = attention.parts(joint, Layers.ADDED, text.normal())
                .then(joint, attention.parts(joint, Layers.OWN, picture.normal()));
            Value mixed = attention.mix(joint, rotation.turn(joint, parts), Optional.empty());
            List<Value> each = joint.split(mixed, 1, List.of(text.x(), picture.x()));
            return new Streams(after(scope, "", picture, Attention.out(joint, "to_out.0", each.getLast(), width())),
                after(scope, "_context", text, Attention.out(joint, "to_add_out", each.getFirst(), width())));
        }

        private long width() {
            return attention.width();
        }

        /**
         * A stream at the begin of a block.
         *
         * @param normal what attends
         * @param modulation shift, scale and gate of the attention, then of the feed-forward network
         */
        private record Side(Value x, Value normal, List<Value> modulation) {
        }

        private Side side(Scope scope, String norm, Value x) {
            Scope normScope = scope.child(norm);
            List<Value> modulation = Modulation.of(normScope.child("linear"), conditions, width(), 6);
            return new Side(x, Modulation.apply(normScope, Modulation.normal(normScope, x, EPSILON), modulation.get(0),
                modulation.get(1)), modulation);
        }

        /** The rest of a stream. @param attended [rows * tokens, width] */
        private static Value after(Scope scope, String stream, Side side, Value attended) {
            List<Value> modulation = side.modulation();
            Value x = Modulation.gated(scope, side.x(), modulation.get(2), attended);
            Scope norm = scope.child("norm2" + stream);
            Value normal = Modulation.apply(norm, Modulation.normal(norm, x, EPSILON), modulation.get(3),
                modulation.get(4));
            return Modulation.gated(scope, x, modulation.get(5),
                FeedForward.apply(scope.child("ff" + stream), Tokens.matrix(norm, normal)));
        }

        /**
         * diffusers' {@code FluxSingleTransformerBlock}: attention and a layer of hidden values side by side.
         *
         * @param x both streams as one, [rows, tokens, width]
         */
        Value one(Scope scope, Value x) {
            Scope norm = scope.child("norm");
            List<Value> modulation = Modulation.of(norm.child("linear"), conditions, width(), 3);
            Value normal = Modulation.apply(norm, Modulation.normal(norm, x, EPSILON), modulation.get(0),
                modulation.get(1));
            Scope own = scope.child("attn");
            Value mixed = attention.mix(own, rotation.turn(own, attention.parts(own, Layers.OWN, normal)),
                Optional.empty());
            Value hidden = Activation.GELU_TANH.apply(scope.child("act_mlp"),
                Linear.apply(scope.child("proj_mlp"), Tokens.matrix(scope, normal), FeedForward.WIDENING * width()));
            Value both = scope.concat(1, Tokens.matrix(own, mixed), hidden);
            return Modulation.gated(scope, x, modulation.get(2), Linear.apply(scope.child("proj_out"), both, width()));
        }
    }

    /**
     * The settings of a {@code FluxTransformer2DModel}, with diffusers' defaults filled in.
     *
     * @param inChannels of a token that comes in, {@code outChannels} of one that goes out
     * @param layers blocks with two streams, {@code singleLayers} with one
     * @param textWidth channels of {@code encoder_hidden_states}
     * @param pooledWidth channels of {@code pooled_projections}
     * @param guided whether the model was taught guidance, and is told how much
     * @param axes channels of a head that each number of a position turns
     */
    private record FluxConfig(int inChannels, int outChannels, int layers, int singleLayers, Attention attention,
        int textWidth, int pooledWidth, boolean guided, List<Integer> axes) {

        private static final String AXES = "axes_dims_rope";
        private static final List<Integer> USUAL_AXES = List.of(16, 56, 56);

        private static final SupportedOptions SUPPORTED = new SupportedOptions(Set.of("in_channels", "out_channels",
            "num_layers", "num_single_layers", "attention_head_dim", "num_attention_heads", "joint_attention_dim",
            "pooled_projection_dim", "guidance_embeds", AXES), Set.of("sample_size"), Map.of("patch_size", "1"),
            Set.of("in_channels", "joint_attention_dim", "pooled_projection_dim"));

        FluxConfig {
            axes = List.copyOf(axes);
        }

        /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
        static FluxConfig read(ConfigFile config) {
            SUPPORTED.check(config);
            Attention attention = Attention.read(config, 24, 128, true, true);
            List<Integer> axes = config.has(AXES)
                ? config.list(AXES).stream().map(it -> config.positiveInteger(AXES, it)).toList() : USUAL_AXES;
            boolean fits = axes.stream().mapToInt(Integer::intValue).sum() == attention.headSize()
                && axes.stream().allMatch(axis -> axis % 2 == 0);
            if (!fits) {
                throw config.wrong(AXES, "is " + axes + ", but must be even numbers that add up to attention_head_dim, "
                    + attention.headSize());
            }
            int in = config.positiveInteger("in_channels", 64);
            return new FluxConfig(in, config.positiveInteger("out_channels", in),
                config.positiveInteger("num_layers", 19),
                config.element("num_single_layers").map(it -> config.index("num_single_layers", it)).orElse(38),
                attention, config.positiveInteger("joint_attention_dim", 4096),
                config.positiveInteger("pooled_projection_dim", 768), config.flag("guidance_embeds", false), axes);
        }

        /** Channels of all streams. */
        int width() {
            return attention.width();
        }
    }
}
