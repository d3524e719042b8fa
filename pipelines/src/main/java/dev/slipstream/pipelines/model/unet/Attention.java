package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.Optional;

/** diffusers' {@code Attention}: projections without a bias, heads, and an output layer {@code to_out.0} with one. */
final class Attention {
    private Attention() {
    }

    /** @param x [rows, queries, channels], which asks; {@code source} [rows, keys, width], which answers */
    static Value apply(Scope scope, Value x, Value source, int heads) {
        long channels = x.size(2);
        Value query = Linear.scaledWithoutBias(scope.child("to_q"), x, channels, Heads.scale(channels, heads));
        Value key = Linear.withoutBias(scope.child("to_k"), source, channels);
        Value value = Linear.withoutBias(scope.child("to_v"), source, channels);
        Value mixed = Heads.attend(scope, query, key, value, heads, Optional.empty());
        return Linear.apply(scope.child("to_out.0"), mixed, channels);
    }
}
