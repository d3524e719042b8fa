package dev.slipstream.pipelines.model.clip;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Heads;
import dev.slipstream.pipelines.model.layer.LayerNorm;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.Optional;

/**
 * transformers' {@code CLIPEncoderLayer}, of texts and of pictures: attention and two linear layers, each with a norm
 * before and a shortcut around it.
 *
 * @param inner width between the two linear layers
 * @param epsilon of its norms
 */
record ClipLayer(int heads, int inner, Activation activation, double epsilon) {
    /**
     * @param x [rows, tokens, width]
     * @param mask [tokens, tokens], is added to the products of queries and keys; empty if all tokens see all
     */
    Value apply(Scope scope, Value x, Optional<Value> mask) {
        Value normal = norm(scope.child("layer_norm1"), x);
        Value attended = scope.add(x, attention(scope.child("self_attn"), normal, mask));
        return scope.add(attended, mlp(scope.child("mlp"), norm(scope.child("layer_norm2"), attended)));
    }

    private Value norm(Scope scope, Value x) {
        return LayerNorm.apply(scope, x, epsilon);
    }

    private Value attention(Scope scope, Value x, Optional<Value> mask) {
        long width = x.size(-1);
        Value query = Linear.scaled(scope.child("q_proj"), x, width, Heads.scale(width, heads));
        Value key = Linear.apply(scope.child("k_proj"), x, width);
        Value value = Linear.apply(scope.child("v_proj"), x, width);
        return Linear.apply(scope.child("out_proj"), Heads.attend(scope, query, key, value, heads, mask), width);
    }

    private Value mlp(Scope scope, Value x) {
        Value hidden = activation.apply(scope.child("activation_fn"), Linear.apply(scope.child("fc1"), x, inner));
        return Linear.apply(scope.child("fc2"), hidden, x.size(-1));
    }
}
