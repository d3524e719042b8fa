package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.List;

/** diffusers' {@code FeedForward} with its {@code GEGLU}: half of the hidden values gate the others. */
final class FeedForward {
    private static final int WIDENING = 4;

    private FeedForward() {
    }

    /** @param x [tokens, channels] */
    static Value apply(Scope scope, Value x) {
        long channels = x.size(1);
        Scope gated = scope.child("net.0");
        Value hidden = Linear.apply(gated.child("proj"), x, 2 * WIDENING * channels);
        List<Value> halves = gated.split(hidden, 2);
        Value product = gated.mul(halves.getFirst(), Activation.GELU.apply(gated, halves.getLast()));
        return Linear.apply(scope.child("net.2"), product, channels);
    }
}
