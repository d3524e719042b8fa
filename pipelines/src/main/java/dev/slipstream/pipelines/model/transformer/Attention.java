package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.layer.RmsNorm;
import java.util.Optional;

/**
 * diffusers' {@code Attention} up to its output layer: projections of one stream of tokens or several, and heads.
 *
 * @param bias whether the projections have one
 * @param normalized whether queries and keys are normalised in each head
 */
public record Attention(int heads, int headSize, boolean bias, boolean normalized) {
    private static final double EPSILON = 1e-6;
    private static final int MOST_CHANNELS = 1_000_000;

    /** The layers of a stream. */
    public record Layers(String query, String key, String value, String queryNorm, String keyNorm) {
        public static final Layers OWN = new Layers("to_q", "to_k", "to_v", "norm_q", "norm_k");
        /** Those of a second stream. */
        public static final Layers ADDED =
            new Layers("add_q_proj", "add_k_proj", "add_v_proj", "norm_added_q", "norm_added_k");
    }

    /**
     * What takes part: [rows, tokens, width], or with heads apart, [rows, tokens, heads, head size], if normalised.
     *
     * @param query empty of a stream that does not ask
     */
    public record Parts(Optional<Value> query, Value key, Value value) {
        /** Tokens of this stream, then those of another. */
        public Parts then(Scope scope, Parts other) {
            return new Parts(query.flatMap(own -> other.query.map(its -> scope.concat(1, own, its))).or(() -> query)
                .or(other::query), scope.concat(1, key, other.key), scope.concat(1, value, other.value));
        }
    }

    /**
     * The heads that a configuration says.
     *
     * @param heads if it does not say how many
     * @param headSize if it does not say how large they are
     * @throws dev.slipstream.pipelines.model.ModelException if they are too many, or too large
     */
    public static Attention read(ConfigFile config, int heads, int headSize, boolean bias, boolean normalized) {
        Attention read = new Attention(config.positiveInteger("num_attention_heads", heads),
            config.positiveInteger("attention_head_dim", headSize), bias, normalized);
        if ((long) read.heads * read.headSize > MOST_CHANNELS) {
            throw config.wrong("attention_head_dim", "is " + read.headSize + ", with which " + read.heads
                + " heads have more than " + MOST_CHANNELS + " channels");
        }
        return read;
    }

    public int width() {
        return heads * headSize;
    }

    /** A stream that asks and answers. @param x [rows, tokens, channels] */
    public Parts parts(Scope scope, Layers layers, Value x) {
        return parts(scope, layers, x, x);
    }

    /** @param x asks, and {@code source} answers */
    public Parts parts(Scope scope, Layers layers, Value x, Value source) {
        Value asking = Tokens.matrix(scope, x);
        Parts answers = answers(scope, layers, source, x.equals(source) ? asking : Tokens.matrix(scope, source));
        return new Parts(Optional.of(query(scope, layers, x, asking)), answers.key(), answers.value());
    }

    /** A stream that only answers. The layers with which it would ask are weights of the checkpoint all the same. */
    public Parts answersAlone(Scope scope, Layers layers, Value x) {
        scope.child(layers.query()).weight("weight", width(), x.size(-1));
        if (bias) {
            scope.child(layers.query()).weight("bias", width());
        }
        if (normalized) {
            scope.child(layers.queryNorm()).weight("weight", headSize);
        }
        return answers(scope, layers, x, Tokens.matrix(scope, x));
    }

    private Value query(Scope scope, Layers layers, Value x, Value matrix) {
        // The factor of the products costs nothing here.
        double factor = Heads.scale(width(), heads);
        Scope layer = scope.child(layers.query());
        if (normalized) {
            Scope norm = scope.child(layers.queryNorm());
            return RmsNorm.apply(norm, Tokens.heads(scope, project(layer, matrix), x, heads), EPSILON,
                norm.mul(norm.weight("weight", headSize), norm.scalar(factor)));
        }
        return Tokens.rows(scope, bias ? Linear.scaled(layer, matrix, width(), factor)
            : Linear.scaledWithoutBias(layer, matrix, width(), factor), x);
    }

    private Parts answers(Scope scope, Layers layers, Value x, Value matrix) {
        Value key = project(scope.child(layers.key()), matrix);
        Value value = Tokens.rows(scope, project(scope.child(layers.value()), matrix), x);
        return new Parts(Optional.empty(), normalized
            ? RmsNorm.apply(scope.child(layers.keyNorm()), Tokens.heads(scope, key, x, heads), EPSILON)
            : Tokens.rows(scope, key, x), value);
    }

    private Value project(Scope layer, Value matrix) {
        return bias ? Linear.apply(layer, matrix, width()) : Linear.withoutBias(layer, matrix, width());
    }

    /**
     * Attends.
     *
     * @param bias is added to the products, and broadcasts to [rows, heads, queries, keys]; for masks
     * @return [rows, queries, width]
     */
    public Value mix(Scope scope, Parts parts, Optional<Value> bias) {
        Value query = apart(scope, parts.query().orElseThrow());
        Value mixed = Heads.mix(scope, query, apart(scope, parts.key()), apart(scope, parts.value()), bias);
        return scope.reshape(mixed, query.dim(0), query.dim(1), Dim.of(width()));
    }

    private Value apart(Scope scope, Value x) {
        return x.rank() == 4 ? x : scope.reshape(x, x.dim(0), x.dim(1), Dim.of(heads), Dim.of(headSize));
    }

    /** A stream's attention to itself or another, with its output layer. @return [rows * tokens, outputs] */
    public Value apply(Scope scope, Value x, Value source, Optional<Value> mask) {
        Value mixed = mix(scope, parts(scope, Layers.OWN, x, source), mask);
        return out(scope, "to_out.0", mixed, x.size(-1));
    }

    /** An output layer. @param mixed [rows, tokens, width] @return [rows * tokens, outputs] */
    public static Value out(Scope scope, String layer, Value mixed, long outputs) {
        return Linear.apply(scope.child(layer), Tokens.matrix(scope, mixed), outputs);
    }
}
