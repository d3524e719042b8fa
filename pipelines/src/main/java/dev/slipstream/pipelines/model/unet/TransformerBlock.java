package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.LayerNorm;

/** diffusers' {@code BasicTransformerBlock}: the picture reads itself, then the text, then a feed-forward network. */
final class TransformerBlock {
    private static final double EPSILON = 1e-5;

    private TransformerBlock() {
    }

    /**
     * @param x [rows, tokens, channels]
     * @param textOnly whether the first attention reads the text as well
     */
    static Value apply(Scope scope, Value x, Value text, int heads, boolean textOnly) {
        Value first = LayerNorm.apply(scope.child("norm1"), x, EPSILON);
        Value own = scope.add(Attention.apply(scope.child("attn1"), first, textOnly ? text : first, heads), x);
        Value second = LayerNorm.apply(scope.child("norm2"), own, EPSILON);
        Value told = scope.add(Attention.apply(scope.child("attn2"), second, text, heads), own);
        return scope.add(FeedForward.apply(scope.child("ff"), LayerNorm.apply(scope.child("norm3"), told, EPSILON)),
            told);
    }
}
