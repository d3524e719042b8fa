package dev.slipstream.pipelines.model.vae;

import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.layer.Heads;
import java.util.Optional;

/**
 * Attention among the pixels of a picture, with one head and a way around.
 *
 * <p>Its weights are called {@code to_q, to_k, to_v, to_out.0}, or {@code query, key, value, proj_attn} as older
 * releases of diffusers saved them. They are linear layers, in some checkpoints stored as 1×1 convolutions.
 */
record AttentionBlock(int groups, double epsilon) {
    /** @param x [rows, channels, height, width] */
    Value apply(Scope scope, Value x) {
        boolean old = scope.child("query").has("weight");
        Value normal = GroupNorm.apply(scope.child("group_norm"), x, groups, epsilon);
        Dim pixels = x.dim(2).times(x.dim(3));
        Value tokens = scope.transpose(scope.reshape(normal, x.dim(0), x.dim(1), pixels), 0, 2, 1);
        Value query = project(scope.child(old ? "query" : "to_q"), tokens, Heads.scale(x.size(1), 1));
        Value key = project(scope.child(old ? "key" : "to_k"), tokens, 1);
        Value value = project(scope.child(old ? "value" : "to_v"), tokens, 1);
        Value mixed = project(scope.child(old ? "proj_attn" : "to_out.0"),
            Heads.attend(scope, query, key, value, 1, Optional.empty()), 1);
        return scope.add(x, scope.reshapeLike(scope.transpose(mixed, 0, 2, 1), x));
    }

    /** @param factor goes into the weights, which engines work out when they are built */
    private static Value project(Scope scope, Value x, double factor) {
        long width = x.size(-1);
        boolean convolution = scope.rank("weight").orElse(2) == 4;
        Value stored = scope.view("weight", convolution ? new long[] {width, width, 1, 1} : new long[] {width, width},
            new long[] {width, width});
        Value weight = scope.transpose(stored, 1, 0);
        Value bias = scope.weight("bias", width);
        return factor == 1 ? scope.add(scope.matMul(x, weight), bias)
            : scope.add(scope.matMul(x, scope.mul(weight, scope.scalar(factor))),
                scope.mul(bias, scope.scalar(factor)));
    }
}
