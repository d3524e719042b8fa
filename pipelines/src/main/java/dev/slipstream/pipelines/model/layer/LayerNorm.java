package dev.slipstream.pipelines.model.layer;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/** {@code torch.nn.LayerNorm} over the last axis: weights {@code weight} and {@code bias}. */
public final class LayerNorm {
    private LayerNorm() {
    }

    public static Value apply(Scope scope, Value x, double epsilon) {
        return scope.layerNorm(x, scope.weight("weight", x.size(-1)), scope.weight("bias", x.size(-1)), epsilon);
    }
}
