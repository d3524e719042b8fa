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

    /** @param x asks, and {@code source} answers */
    static Value apply(Scope scope, Tokens x, Tokens source, int heads) {
        long channels = x.matrix().size(1);
        Value query = Linear.scaledWithoutBias(scope.child("to_q"), x.matrix(), channels,
            Heads.scale(channels, heads));
        Value key = Linear.withoutBias(scope.child("to_k"), source.matrix(), channels);
        Value value = Linear.withoutBias(scope.child("to_v"), source.matrix(), channels);
        Value mixed = Heads.mix(scope, x.split(scope, query, heads), source.split(scope, key, heads),
            source.split(scope, value, heads), Optional.empty());
        return Linear.apply(scope.child("to_out.0"), x.joined(scope, mixed).matrix(), channels);
    }
}
