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
 * @param linear whether the first and last layer process tokens instead of pixels
 */
record SpatialTransformer(int groups, boolean linear) {
    static final double EPSILON = 1e-6;

    /** @param x [rows, channels, height, width], {@code text} [rows, tokens, width] */
    Value apply(Scope scope, Value x, Value text, UNetBlock block, int depth) {
        Value normal = GroupNorm.apply(scope.child("norm"), x, groups, EPSILON);
        int inner = block.innerChannels();
        TokenMatrix tokens = tokens(scope, linear ? normal : Conv2d.apply(scope.child("proj_in"), normal, inner, 1));
        if (linear) {
            tokens = tokens.with(Linear.apply(scope.child("proj_in"), tokens.matrix(), inner));
        }
        TokenMatrix words = TokenMatrix.of(scope, text);
        for (int i = 0; i < depth; i++) {
            tokens = TokenLayers.block(scope.child("transformer_blocks", i), tokens, words, block.heads(),
                block.onlyCrossAttention());
        }
        if (linear) {
            return scope.add(pixels(scope, tokens.with(Linear.apply(scope.child("proj_out"), tokens.matrix(),
                x.size(1)))), x);
        }
        return scope.add(Conv2d.apply(scope.child("proj_out"), pixels(scope, tokens), x.size(1), 1), x);
    }

    /** @param pixels [rows, channels, height, width] */
    static TokenMatrix tokens(Scope scope, Value pixels) {
        return TokenMatrix.of(scope, scope.transpose(pixels, 0, 2, 3, 1));
    }

    /** @param tokens made by {@link #tokens}, maybe changed since */
    static Value pixels(Scope scope, TokenMatrix tokens) {
        return scope.transpose(scope.reshapeLike(tokens.matrix(), tokens.like()), 0, 3, 1, 2);
    }
}
