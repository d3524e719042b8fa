package dev.slipstream.pipelines.model.dit;

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
import dev.slipstream.pipelines.model.layer.Sinusoids.Exponential;
import dev.slipstream.pipelines.model.layer.Sinusoids;
import dev.slipstream.pipelines.model.transformer.Attention;
import dev.slipstream.pipelines.model.transformer.FeedForward;
import dev.slipstream.pipelines.model.transformer.GridPositions;
import dev.slipstream.pipelines.model.transformer.Modulation;
import dev.slipstream.pipelines.model.transformer.Patches;
import dev.slipstream.pipelines.model.transformer.Tokens;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * diffusers' {@code DiTTransformer2DModel} as a graph.
 *
 * <p>Inputs: {@code hidden_states} float32[batch_size, channels, height, width], the latents; {@code timestep} float32
 * (a scalar, one element or one a row); {@code class_labels} int64[batch_size], the last of which means no class.
 * Output: {@code out_hidden_states} [batch_size, channels, height, width], in the released models with twice the
 * channels of latents. Height and width are open multiples of the patches' side.
 */
public final class DitTransformer {
    private static final Dim BATCH = Dim.named("batch_size");
    private static final double EPSILON = 1e-6;
    /** Unlike all others', these frequencies end at the longest period. */
    private static final Sinusoids SINUSOIDS = new Sinusoids(256, true, 1, Exponential.SLEEF);

    private final DitConfig config;
    private final GraphBuilder builder;
    private final Scope root;
    private final Attention attention;

    private DitTransformer(DitConfig config, GraphBuilder builder) {
        this.config = config;
        this.builder = builder;
        this.root = builder.root();
        this.attention = config.attention();
    }

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        new DitTransformer(DitConfig.read(config), builder).write();
    }

    private void write() {
        Value latents = builder.input("hidden_states", DataType.FLOAT32, BATCH, Dim.of(config.inChannels()),
            Dim.named("height"), Dim.named("width"));
        Scope embedding = root.child("pos_embed");
        Patches patches = Patches.embed(embedding.child("proj"), latents, config.width(), config.patch());
        Value waves = SINUSOIDS.apply(root.child("time_proj"), NumberEmbedding.timestep(builder, DataType.FLOAT32));
        Value classes = builder.input("class_labels", DataType.INT64, BATCH);
        Value x = embedding.add(patches.tokens(),
            config.positions().apply(embedding, patches, config.width()));
        Optional<Value> first = Optional.empty();
        for (int i = 0; i < config.layers(); i++) {
            Scope scope = root.child("transformer_blocks", i);
            Value conditions = conditions(scope.child("norm1").child("emb"), waves, classes);
            x = block(scope, x, conditions);
            first = first.or(() -> Optional.of(conditions));
        }
        // The last norm reads what the first block's layers make of the conditions.
        List<Value> last = Modulation.of(root.child("proj_out_1"), first.orElseThrow(), config.width(), 2);
        Value normal = Modulation.apply(root.child("norm_out"), Modulation.normal(root.child("norm_out"), x, EPSILON),
            last.get(0), last.get(1));
        Value predicted = Linear.apply(root.child("proj_out_2"), Tokens.matrix(root, normal),
            (long) config.patch() * config.patch() * config.outChannels());
        builder.output("out_hidden_states", patches.picture(root, predicted));
    }

    /** Timestep and class, activated: every block has layers of its own for it. @return [rows, width] */
    private Value conditions(Scope scope, Value waves, Value classes) {
        Value time = NumberEmbedding.mlp(scope.child("timestep_embedder"), waves, config.width(), Activation.SILU);
        Scope table = scope.child("class_embedder").child("embedding_table");
        Value label = table.gather(table.weight("weight", config.classes() + 1L, config.width()), classes);
        return Activation.SILU.apply(scope, scope.add(time, label));
    }

    /** diffusers' {@code BasicTransformerBlock} with {@code ada_norm_zero}, without a text. */
    private Value block(Scope scope, Value x, Value conditions) {
        Scope norm1 = scope.child("norm1");
        // Shift, scale and gate of the attention, then of the feed-forward network.
        List<Value> parts = Modulation.of(norm1.child("linear"), conditions, config.width(), 6);
        Value first = Modulation.apply(norm1, Modulation.normal(norm1, x, EPSILON), parts.get(0), parts.get(1));
        Value own = Modulation.gated(scope, x, parts.get(2),
            attention.apply(scope.child("attn1"), first, first, Optional.empty()));
        Scope norm3 = scope.child("norm3");
        Value second = Modulation.apply(norm3, Modulation.normal(norm3, own, config.epsilon()), parts.get(3),
            parts.get(4));
        return Modulation.gated(scope, own, parts.get(5),
            FeedForward.apply(scope.child("ff"), Tokens.matrix(norm3, second)));
    }

    /**
     * The settings of a {@code DiTTransformer2DModel}, with diffusers' defaults filled in.
     *
     * @param patch latent pixels along a side of a patch
     * @param epsilon of the norms before feed-forward networks
     * @param classes without the one that means no class
     */
    private record DitConfig(int inChannels, int outChannels, int patch, int layers, Attention attention,
        double epsilon, int classes, GridPositions positions) {

        /** Those of {@code Transformer2DModel}, as the released configuration is, included. */
        private static final SupportedOptions SUPPORTED = new SupportedOptions(
            Set.of("in_channels", "out_channels", "patch_size", "num_layers", "num_attention_heads",
                "attention_head_dim", "attention_bias", "norm_eps", "num_embeds_ada_norm", "sample_size"),
            Set.of("dropout", "upcast_attention", "norm_num_groups"),
            Map.ofEntries(Map.entry("activation_fn", "\"gelu-approximate\""),
                Map.entry("norm_type", "\"ada_norm_zero\""),
                Map.entry("norm_elementwise_affine", "false"), Map.entry("cross_attention_dim", "null"),
                Map.entry("num_vector_embeds", "null"), Map.entry("only_cross_attention", "false"),
                Map.entry("double_self_attention", "false"), Map.entry("use_linear_projection", "false"),
                Map.entry("attention_type", "\"default\""), Map.entry("caption_channels", "null"),
                Map.entry("interpolation_scale", "null"), Map.entry("use_additional_conditions", "null")),
            Set.of("sample_size", "patch_size", "attention_bias", "num_embeds_ada_norm"));

        /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
        static DitConfig read(ConfigFile config) {
            SUPPORTED.check(config);
            Attention attention = Attention.read(config, 16, 72, config.flag("attention_bias", true), false);
            int in = config.positiveInteger("in_channels", 4);
            int patch = config.positiveInteger("patch_size", 2);
            return new DitConfig(in, config.positiveInteger("out_channels", in), patch,
                config.positiveInteger("num_layers", 28), attention, config.number("norm_eps", 1e-5),
                config.positiveInteger("num_embeds_ada_norm", 1000), GridPositions.read(config,
                    config.positiveInteger("sample_size", 32), patch, 1, attention.width()));
        }

        int width() {
            return attention.width();
        }
    }
}
