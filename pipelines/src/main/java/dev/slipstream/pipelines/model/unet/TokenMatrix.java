package dev.slipstream.pipelines.model.unet;

import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.List;

/**
 * Tokens of all rows in one matrix, so that linear layers are one operator each.
 *
 * @param matrix [rows * count, channels]
 * @param rows whose tokens attend to each other only
 * @param count tokens of a row
 * @param like a tensor that tells one of these two sizes
 */
record TokenMatrix(Value matrix, Dim rows, Dim count, Value like) {
    /** @param x [rows, ..., channels] */
    static TokenMatrix of(Scope scope, Value x) {
        Dim count = Dim.ONE;
        for (int axis = 1; axis < x.rank() - 1; axis++) {
            count = count.times(x.dim(axis));
        }
        return new TokenMatrix(scope.reshape(x, x.dim(0).times(count), x.dim(-1)), x.dim(0), count, x);
    }

    TokenMatrix with(Value changed) {
        return new TokenMatrix(changed, rows, count, like);
    }

    /** The same tokens in the same order, as those of other rows. */
    TokenMatrix ofRows(Dim otherRows, Dim otherCount, Value otherLike) {
        return new TokenMatrix(matrix, otherRows, otherCount, otherLike);
    }

    /** @param projected [rows * count, channels] @return [rows, count, heads, channels of a head] */
    Value split(Scope scope, Value projected, int heads) {
        return scope.reshape(projected, List.of(like), rows, count, Dim.of(heads), projected.dim(1).over(heads));
    }

    /** @param mixed [rows, count, heads, channels of a head] @return [rows * count, channels] */
    Value joined(Scope scope, Value mixed) {
        return scope.reshape(mixed, matrix.dim(0), mixed.dim(2).times(mixed.dim(3)));
    }
}
