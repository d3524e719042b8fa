package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Linear;

/** diffusers' {@code FeedForward} with {@code gelu-approximate}: two linear layers, four times as wide between. */
public final class FeedForward {
    /** How much wider the hidden values are. */
    public static final int WIDENING = 4;

    private FeedForward() {
    }

    /** @param x [tokens, channels] @return the same shape */
    public static Value apply(Scope scope, Value x) {
        long channels = x.size(1);
        Scope first = scope.child("net.0");
        Value hidden = Linear.apply(first.child("proj"), x, WIDENING * channels);
        return Linear.apply(scope.child("net.2"), Activation.GELU_TANH.apply(first, hidden), channels);
    }
}
