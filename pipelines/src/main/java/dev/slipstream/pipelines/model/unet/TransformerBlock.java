package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.LayerNorm;

/** diffusers' {@code BasicTransformerBlock}: the picture reads itself, then the text, then a feed-forward network. */
final class TransformerBlock {
    private static final double EPSILON = 1e-5;

    private TransformerBlock() {
    }

    /** @param textOnly whether the first attention reads the text as well */
    static Tokens apply(Scope scope, Tokens x, Tokens text, int heads, boolean textOnly) {
        Tokens first = norm(scope.child("norm1"), x);
        Tokens own = added(scope, Attention.apply(scope.child("attn1"), first, textOnly ? text : first, heads), x);
        Tokens second = norm(scope.child("norm2"), own);
        Tokens told = added(scope, Attention.apply(scope.child("attn2"), second, text, heads), own);
        return added(scope, FeedForward.apply(scope.child("ff"), norm(scope.child("norm3"), told).matrix()), told);
    }

    private static Tokens norm(Scope scope, Tokens x) {
        return x.with(LayerNorm.apply(scope, x.matrix(), EPSILON));
    }

    private static Tokens added(Scope scope, Value change, Tokens x) {
        return x.with(scope.add(change, x.matrix()));
    }
}
