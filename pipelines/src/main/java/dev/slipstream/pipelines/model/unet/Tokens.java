package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;

/**
 * Tokens of all rows in one matrix, so that linear layers are one operator each.
 *
 * @param matrix [rows * count, channels]
 * @param like a tensor with the same rows
 * @param count tokens of a row
 */
record Tokens(Value matrix, Value like, Dim count) {
    /** @param x [rows, ..., channels] */
    static Tokens of(Scope scope, Value x) {
        Dim count = Dim.ONE;
        for (int axis = 1; axis < x.rank() - 1; axis++) {
            count = count.times(x.dim(axis));
        }
        return new Tokens(scope.reshape(x, x.dim(0).times(count), x.dim(-1)), x, count);
    }

    Tokens with(Value changed) {
        return new Tokens(changed, like, count);
    }

    /** @param projected [rows * count, channels] @return [rows, count, heads, channels of a head] */
    Value split(Scope scope, Value projected, int heads) {
        return scope.reshapeRows(projected, like, like.dim(0), count, Dim.of(heads), projected.dim(1).over(heads));
    }

    /** @param mixed [rows, count, heads, channels of a head] @return [rows * count, channels] */
    Tokens joined(Scope scope, Value mixed) {
        return with(scope.reshape(mixed, matrix.dim(0), mixed.dim(2).times(mixed.dim(3))));
    }
}
