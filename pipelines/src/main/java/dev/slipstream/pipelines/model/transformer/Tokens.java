package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.List;

/** Forms of a stream of tokens; no element moves. */
public final class Tokens {
    private Tokens() {
    }

    /** @param x [rows, tokens, ...] @return [rows * tokens, channels] */
    public static Value matrix(Scope scope, Value x) {
        Dim channels = x.rank() == 3 ? x.dim(2) : x.dim(2).times(x.dim(3));
        return scope.reshape(x, x.dim(0).times(x.dim(1)), channels);
    }

    /** @param matrix [rows * tokens, channels], {@code like} [rows, tokens, ...] @return [rows, tokens, channels] */
    public static Value rows(Scope scope, Value matrix, Value like) {
        return scope.reshape(matrix, List.of(like), like.dim(0), like.dim(1), matrix.dim(1));
    }

    /** @param matrix [rows * tokens, channels] @return [rows, tokens, heads, channels of a head] */
    public static Value heads(Scope scope, Value matrix, Value like, int heads) {
        return scope.reshape(matrix, List.of(like), like.dim(0), like.dim(1), Dim.of(heads),
            matrix.dim(1).over(heads));
    }
}
