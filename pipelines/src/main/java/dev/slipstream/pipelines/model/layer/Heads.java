package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.Optional;

/**
 * Attention in several heads, between the projections: {@code softmax(q · kᵀ) · v} for each head.
 *
 * <p>The factor {@code 1/√width} of a head is not applied here, since it costs nothing in the weights of the projection
 * to queries: {@link #scale}, {@link Linear#scaled}.
 */
public final class Heads {
    private Heads() {
    }

    /** The factor for the queries. */
    public static double scale(long channels, int heads) {
        return 1 / Math.sqrt((double) channels / heads);
    }

    /**
     * @param query [rows, queries, channels], already scaled
     * @param key [rows, keys, channels]
     * @param value [rows, keys, channels]
     * @param bias is added to the products, and broadcasts to [rows, heads, queries, keys]; for causal masks
     * @return [rows, queries, channels]
     */
    public static Value attend(Scope scope, Value query, Value key, Value value, int heads, Optional<Value> bias) {
        Value mixed = mix(scope, split(scope, query, heads), split(scope, key, heads), split(scope, value, heads),
            bias);
        return scope.reshape(mixed, query.dim(0), query.dim(1), value.dim(2));
    }

    private static Value split(Scope scope, Value x, int heads) {
        return scope.reshape(x, x.dim(0), x.dim(1), Dim.of(heads), x.dim(2).over(heads));
    }

    /** As {@link #attend}, for what is already split: [rows, queries or keys, heads, channels of a head]. */
    public static Value mix(Scope scope, Value query, Value key, Value value, Optional<Value> bias) {
        Value products = scope.matMul(scope.transpose(query, 0, 2, 1, 3), scope.transpose(key, 0, 2, 3, 1));
        Value biased = bias.map(it -> scope.add(products, it)).orElse(products);
        Value mixed = scope.matMul(scope.softmax(biased), scope.transpose(value, 0, 2, 1, 3));
        return scope.transpose(mixed, 0, 2, 1, 3);
    }
}
