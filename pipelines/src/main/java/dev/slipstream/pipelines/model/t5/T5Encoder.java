package dev.slipstream.pipelines.model.t5;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.config.PretrainedOptions;
import dev.slipstream.pipelines.model.config.SupportedOptions;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.layer.RmsNorm;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes transformers' {@code T5EncoderModel} as a graph (Raffel et al. 2020; version 1.1 has gated feed-forward
 * layers).
 *
 * <p>Inputs: {@code input_ids} int64[batch_size, sequence_length] and, if the caller can give it, {@code
 * attention_mask} int64 of the same shape, 0 for tokens that no other attends to. Output: {@code last_hidden_state}
 * float32[batch_size, sequence_length, width], after the final norm.
 *
 * <p>Weights may be fp16, but all is computed in float32: feed-forward layers of released models reach values that fp16
 * does not hold, which is why transformers keeps their last layer in float32.
 */
public final class T5Encoder {
    public static final String INPUT_IDS = "input_ids";
    public static final String ATTENTION_MASK = "attention_mask";
    public static final String LAST_HIDDEN_STATE = "last_hidden_state";

    private final T5Config config;

    private T5Encoder(T5Config config) {
        this.config = config;
    }

    /** Adds inputs, nodes and outputs; {@code attention_mask} if the options name it. */
    public static void write(ConfigFile config, GraphBuilder graph, GraphOptions options) {
        new T5Encoder(T5Config.read(config)).write(graph, options.inputs().contains(ATTENTION_MASK));
    }

    private void write(GraphBuilder graph, boolean masked) {
        Dim rows = Dim.named("batch_size");
        Dim tokens = Dim.named("sequence_length");
        Value ids = graph.input(INPUT_IDS, DataType.INT64, rows, tokens);
        Scope encoder = graph.root().child("encoder");
        Value x = embeddings(graph.root(), ids);
        Value bias = bias(encoder.child("block", 0).child("layer", 0).child("SelfAttention"), ids);
        if (masked) {
            Value mask = graph.input(ATTENTION_MASK, DataType.INT64, rows, tokens);
            bias = encoder.add(bias, mask(encoder, mask));
        }
        for (int i = 0; i < config.layers(); i++) {
            Scope block = encoder.child("block", i);
            Scope first = block.child("layer", 0);
            x = first.add(x, attention(first.child("SelfAttention"), norm(first.child("layer_norm"), x), bias));
            Scope second = block.child("layer", 1);
            x = second.add(x, feedForward(second.child("DenseReluDense"), norm(second.child("layer_norm"), x)));
        }
        graph.output(LAST_HIDDEN_STATE, norm(encoder.child("final_layer_norm"), x));
    }

    /** Released checkpoints have the table once or twice, under one name or the other. */
    private Value embeddings(Scope root, Value ids) {
        Scope shared = root.child("shared");
        Scope own = root.child("encoder").child("embed_tokens");
        Scope table = !shared.has("weight") && own.has("weight") ? own : shared;
        return table.gather(table.weight("weight", config.vocabulary(), config.width()), ids);
    }

    private Value norm(Scope scope, Value x) {
        return RmsNorm.apply(scope, x, config.epsilon());
    }

    /**
     * What is added to the products of queries and keys for the distance between their tokens, [heads, tokens, tokens].
     * The first block has the weights of all.
     */
    private Value bias(Scope scope, Value ids) {
        Value weight = scope.child("relative_attention_bias").weight("weight", config.buckets(), config.heads());
        Value byDistance = scope.transpose(scope.gather(weight, scope.integers(config.bucketsByDistance())), 1, 0);
        Dim tokens = ids.dim(1);
        Value count = scope.gather(scope.size(ids, 1), scope.integer(0));
        Value positions = scope.node("Range", List.of(scope.integer(0), count, scope.integer(1)),
            Attributes.NONE, DataType.INT64, List.of(tokens));
        Value distances = scope.sub(scope.reshape(positions, Dim.ONE, tokens),
            scope.reshape(positions, tokens, Dim.ONE));
        Value farthest = scope.integers(config.farthest());
        Value near = scope.min(scope.max(distances, scope.integers(-config.farthest())), farthest);
        Value index = scope.add(near, farthest);
        return scope.node("Gather", List.of(byDistance, index), Attributes.NONE.integer("axis", 1), DataType.FLOAT32,
            List.of(Dim.of(config.heads()), tokens, tokens));
    }

    /** [rows, 1, 1, tokens]: 0 for tokens that are read, and for others so little that their share is nothing. */
    private static Value mask(Scope scope, Value mask) {
        Value read = scope.reshape(scope.cast(mask, DataType.BOOL), mask.dim(0), Dim.ONE, Dim.ONE, mask.dim(1));
        return scope.node("Where", List.of(read, scope.scalar(0), scope.scalar(-Float.MAX_VALUE)), Attributes.NONE,
            DataType.FLOAT32, read.dims());
    }

    /** Without biases, and without the usual factor for the products. */
    private Value attention(Scope scope, Value x, Value bias) {
        long inner = (long) config.heads() * config.headWidth();
        Value query = Linear.withoutBias(scope.child("q"), x, inner);
        Value key = Linear.withoutBias(scope.child("k"), x, inner);
        Value value = Linear.withoutBias(scope.child("v"), x, inner);
        Value mixed = Heads.attend(scope, query, key, value, config.heads(), Optional.of(bias));
        return Linear.withoutBias(scope.child("o"), mixed, config.width());
    }

    private Value feedForward(Scope scope, Value x) {
        Value inner = config.activation().apply(scope.child("act"),
            Linear.withoutBias(scope.child(config.gated() ? "wi_0" : "wi"), x, config.inner()));
        Value gated = config.gated()
            ? scope.mul(inner, Linear.withoutBias(scope.child("wi_1"), x, config.inner())) : inner;
        return Linear.withoutBias(scope.child("wo"), gated, config.width());
    }

    /**
     * The settings of a T5 encoder, with transformers' defaults filled in.
     *
     * @param vocabulary number of tokens that the table has rows for; tokenizers may know fewer
     * @param width of the hidden states
     * @param headWidth of queries, keys and values of one head; all heads together need not be as wide as the states
     * @param inner width between the linear layers of a block
     * @param buckets how many distances between two tokens are told apart, in both directions together
     * @param farthest the distance from which on all are one
     * @param epsilon of its norms
     * @param gated whether the activated values are multiplied by others, as in version 1.1
     */
    record T5Config(int vocabulary, int width, int headWidth, int inner, int layers, int heads, int buckets,
        int farthest, double epsilon, Activation activation, boolean gated) {

        private static final String FEED_FORWARD = "feed_forward_proj";
        private static final String GATED = "gated-";
        private static final String BUCKETS = "relative_attention_num_buckets";
        private static final String FARTHEST = "relative_attention_max_distance";

        private static final Set<String> FOLLOWED = Set.of("architectures", "model_type", "vocab_size", "d_model",
            "d_kv", "d_ff", "num_layers", "num_heads", BUCKETS, FARTHEST, "layer_norm_epsilon", FEED_FORWARD,
            "dense_act_fn", "is_gated_act");

        /** Those of the decoder, which is not there, and of training. */
        private static final Set<String> WITHOUT_EFFECT = Set.of("num_decoder_layers", "is_encoder_decoder",
            "scale_decoder_outputs", "dropout_rate", "classifier_dropout", "n_positions", "output_past",
            "eos_token_id");

        private static final SupportedOptions SUPPORTED =
            PretrainedOptions.with(FOLLOWED, WITHOUT_EFFECT, Map.of(), Set.of(FEED_FORWARD));

        /** More than any model has; a damaged file must not ask for millions. */
        private static final int MOST_LAYERS = 1000;
        private static final int MOST_DISTANCES = 1 << 16;

        /** @throws ModelException naming the option that is wrong or not supported */
        static T5Config read(ConfigFile config) {
            String type = config.text("model_type").orElse("t5");
            if (!type.equals("t5")) {
                throw config.wrong("model_type", "is \"" + type + "\", which is no T5 encoder");
            }
            PretrainedOptions.refuseQuantized(config);
            SUPPORTED.check(config);
            String projection = config.text(FEED_FORWARD).orElse("relu");
            boolean gated = projection.startsWith(GATED);
            String name = gated ? projection.substring(GATED.length()) : projection;
            // transformers keeps the spelling of the released checkpoints, which means the approximation.
            Activation activation = Activation.named(name.equals("gelu") && gated ? "gelu_new" : name)
                .orElseThrow(() -> config.wrong(FEED_FORWARD, "is \"" + projection + "\", which is not supported; "
                    + "gated-gelu and relu are usual"));
            checkDerived(config, activation, gated);
            return new T5Config(config.positiveInteger("vocab_size", 32128), config.positiveInteger("d_model", 512),
                config.positiveInteger("d_kv", 64), config.positiveInteger("d_ff", 2048),
                limited(config, "num_layers", 6, MOST_LAYERS), config.positiveInteger("num_heads", 8), buckets(config),
                farthest(config), config.number("layer_norm_epsilon", 1e-6), activation, gated);
        }

        /** Two further options say what {@code feed_forward_proj} says. */
        private static void checkDerived(ConfigFile config, Activation activation, boolean gated) {
            if (config.flag("is_gated_act", gated) != gated) {
                throw config.wrong("is_gated_act", "is not what " + FEED_FORWARD + " says");
            }
            if (Activation.of(config, "dense_act_fn", activation) != activation) {
                throw config.wrong("dense_act_fn", "is not what " + FEED_FORWARD + " says");
            }
        }

        /** Half of them for each direction, of which half again are exact. */
        private static int buckets(ConfigFile config) {
            int buckets = limited(config, BUCKETS, 32, MOST_DISTANCES);
            if (buckets < 4) {
                throw config.wrong(BUCKETS, "must be at least 4, not " + buckets);
            }
            return buckets;
        }

        private static int farthest(ConfigFile config) {
            int farthest = limited(config, FARTHEST, 128, MOST_DISTANCES);
            if (farthest <= buckets(config) / 2 / 2) {
                throw config.wrong(FARTHEST, "must be more than a quarter of " + BUCKETS + ", not " + farthest);
            }
            return farthest;
        }

        private static int limited(ConfigFile config, String key, int otherwise, int most) {
            int number = config.positiveInteger(key, otherwise);
            if (number > most) {
                throw config.wrong(key, "must be at most " + most + ", not " + number);
            }
            return number;
        }

        /**
         * The bucket of each distance from {@code -farthest} to {@code farthest}, from a token to one that it attends
         * to: small distances have one each, larger ones share one the more, the larger they are. Rounded to float32
         * after each operation, as in PyTorch.
         */
        long[] bucketsByDistance() {
            int half = buckets / 2;
            int exact = half / 2;
            long[] table = new long[2 * farthest + 1];
            Arrays.setAll(table, i -> {
                int distance = Math.abs(i - farthest);
                int bucket = distance;
                if (distance >= exact) {
                    float logarithm = (float) Math.log((float) distance / exact);
                    float part = logarithm / (float) Math.log((double) farthest / exact) * (half - exact);
                    bucket = Math.min(exact + (int) part, half - 1);
                }
                return i > farthest ? half + bucket : bucket;
            });
            return table;
        }
    }
}
