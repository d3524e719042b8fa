package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Conv2d;
import dev.slipstream.pipelines.model.layer.GroupNorm;
import dev.slipstream.pipelines.model.layer.Linear;

/**
 * diffusers' {@code Transformer2DModel}: pixels become tokens, pass transformer blocks and are added to what they were.
 *
 * @param groups of the norm before
 * @param linear whether the first and last layer work on tokens, not on pixels
 */
record SpatialTransformer(int groups, boolean linear) {
    private static final double EPSILON = 1e-6;

    /** @param x [rows, channels, height, width] */
    Value apply(Scope scope, Value x, Value text, UNetBlock block, int depth) {
        Value normal = GroupNorm.apply(scope.child("norm"), x, groups, EPSILON);
        Value tokens = linear ? Linear.apply(scope.child("proj_in"), tokens(scope, normal), x.size(1))
            : tokens(scope, Conv2d.apply(scope.child("proj_in"), normal, x.size(1), 1));
        for (int i = 0; i < depth; i++) {
            tokens = TransformerBlock.apply(scope.child("transformer_blocks", i), tokens, text, block.heads(),
                block.onlyCrossAttention());
        }
        Value pixels = linear ? pixels(scope, Linear.apply(scope.child("proj_out"), tokens, x.size(1)), x)
            : Conv2d.apply(scope.child("proj_out"), pixels(scope, tokens, x), x.size(1), 1);
        return scope.add(pixels, x);
    }

    private static Value tokens(Scope scope, Value pixels) {
        Value lines = scope.reshape(pixels, pixels.dim(0), pixels.dim(1), pixels.dim(2).times(pixels.dim(3)));
        return scope.transpose(lines, 0, 2, 1);
    }

    private static Value pixels(Scope scope, Value tokens, Value like) {
        return scope.reshapeLike(scope.transpose(tokens, 0, 2, 1), like);
    }
}
