package dev.slipstream.pipelines.model.clip;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.LayerNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.Optional;

/**
 * transformers' {@code CLIPEncoderLayer}: attention and two linear layers, both with a norm before and a way around.
 */
record ClipLayer(ClipTextConfig config) {
    /**
     * @param x [rows, tokens, width]
     * @param mask [tokens, tokens], is added to the products of queries and keys
     */
    Value apply(Scope scope, Value x, Value mask) {
        Value attended = scope.add(x, attention(scope.child("self_attn"), norm(scope.child("layer_norm1"), x), mask));
        return scope.add(attended, mlp(scope.child("mlp"), norm(scope.child("layer_norm2"), attended)));
    }

    private Value norm(Scope scope, Value x) {
        return LayerNorm.apply(scope, x, config.epsilon());
    }

    private Value attention(Scope scope, Value x, Value mask) {
        int width = config.width();
        Value query = Linear.scaled(scope.child("q_proj"), x, width, Heads.scale(width, config.heads()));
        Value key = Linear.apply(scope.child("k_proj"), x, width);
        Value value = Linear.apply(scope.child("v_proj"), x, width);
        Value mixed = Heads.attend(scope, query, key, value, config.heads(), Optional.of(mask));
        return Linear.apply(scope.child("out_proj"), mixed, width);
    }

    private Value mlp(Scope scope, Value x) {
        Value inner = config.activation().apply(scope.child("activation_fn"),
            Linear.apply(scope.child("fc1"), x, config.inner()));
        return Linear.apply(scope.child("fc2"), inner, config.width());
    }
}
