package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.LayerNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.List;
import java.util.Optional;

/** What the transformer blocks of U-Nets consist of. */
final class TokenLayers {
    private static final double EPSILON = 1e-5;
    private static final int WIDENING = 4;

    private TokenLayers() {
    }

    static TokenMatrix norm(Scope scope, TokenMatrix x) {
        return x.with(LayerNorm.apply(scope, x.matrix(), EPSILON));
    }

    static TokenMatrix added(Scope scope, Value change, TokenMatrix x) {
        return x.with(scope.add(change, x.matrix()));
    }

    /**
     * diffusers' {@code Attention}: projections without a bias, heads, and an output layer {@code to_out.0} with a
     * bias.
     *
     * @param x asks, and {@code source} of the same rows answers
     */
    static Value attention(Scope scope, TokenMatrix x, TokenMatrix source, int heads) {
        long channels = x.matrix().size(1);
        Value query = Linear.scaledWithoutBias(scope.child("to_q"), x.matrix(), channels,
            Heads.scale(channels, heads));
        Value key = Linear.withoutBias(scope.child("to_k"), source.matrix(), channels);
        Value value = Linear.withoutBias(scope.child("to_v"), source.matrix(), channels);
        Value mixed = Heads.mix(scope, x.split(scope, query, heads), source.split(scope, key, heads),
            source.split(scope, value, heads), Optional.empty());
        return Linear.apply(scope.child("to_out.0"), x.joined(scope, mixed), channels);
    }

    /** diffusers' {@code FeedForward} with its {@code GEGLU}: half of the hidden values gate the others. */
    static Value feedForward(Scope scope, TokenMatrix x) {
        long channels = x.matrix().size(1);
        Scope gated = scope.child("net.0");
        Value hidden = Linear.apply(gated.child("proj"), x.matrix(), 2 * WIDENING * channels);
        List<Value> halves = gated.split(hidden, 2);
        Value product = gated.mul(halves.getFirst(), Activation.GELU.apply(gated, halves.getLast()));
        return Linear.apply(scope.child("net.2"), product, channels);
    }

    /**
     * diffusers' {@code BasicTransformerBlock}: the picture reads itself, then the text, then passes a feed-forward
     * network.
     *
     * @param textOnly whether the first attention reads the text as well
     */
    static TokenMatrix block(Scope scope, TokenMatrix x, TokenMatrix text, int heads, boolean textOnly) {
        TokenMatrix first = norm(scope.child("norm1"), x);
        TokenMatrix own = added(scope, attention(scope.child("attn1"), first, textOnly ? text : first, heads), x);
        TokenMatrix second = norm(scope.child("norm2"), own);
        TokenMatrix told = added(scope, attention(scope.child("attn2"), second, text, heads), own);
        return added(scope, feedForward(scope.child("ff"), norm(scope.child("norm3"), told)), told);
    }
}
