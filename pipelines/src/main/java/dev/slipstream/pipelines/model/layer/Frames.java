package dev.slipstream.pipelines.model.layer;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The frames of videos. Layers for pictures see them as rows, [videos · frames, channels, height, width]; layers along
 * time see [videos, channels, frames, height · width].
 *
 * @param sizes a tensor that tells how many there are: [videos, frames, ...]
 */
public record Frames(Value sizes) {
    public Dim videos() {
        return sizes.dim(0);
    }

    public Dim count() {
        return sizes.dim(1);
    }

    /** @param x [videos · frames, channels, height, width] @return [videos, channels, frames, height · width] */
    public Value alongTime(Scope scope, Value x) {
        return scope.transpose(scope.reshape(x, List.of(sizes), videos(), count(), x.dim(1),
            x.dim(2).times(x.dim(3))), 0, 2, 1, 3);
    }

    /**
     * @param x [videos, channels, frames, height · width]
     * @param like of the shape of the result
     * @return [videos · frames, channels, height, width]
     */
    public static Value asRows(Scope scope, Value x, Value like) {
        return scope.reshapeLike(scope.transpose(x, 0, 2, 1, 3), like);
    }

    /** Gives each frame what its video has. @param x [videos or 1, ...] @return [videos · frames, ...] */
    public Value repeat(Scope scope, Value x) {
        int rank = x.rank();
        Dim[] apart = new Dim[rank + 1];
        Dim[] together = new Dim[rank];
        Value[] shape = new Value[rank + 1];
        apart[0] = x.dim(0);
        apart[1] = Dim.ONE;
        together[0] = videos().times(count());
        shape[0] = scope.size(sizes, 0);
        shape[1] = scope.size(sizes, 1);
        for (int axis = 1; axis < rank; axis++) {
            apart[axis + 1] = x.dim(axis);
            together[axis] = x.dim(axis);
            shape[axis + 1] = x.dim(axis).isKnown() ? scope.integers(x.size(axis)) : scope.size(x, axis);
        }
        Value single = scope.reshape(x, List.of(x), apart);
        List<Dim> dims = new ArrayList<>(List.of(apart));
        dims.set(0, videos());
        dims.set(1, count());
        Value each = scope.node("Expand", List.of(single, scope.concat(0, shape)), Attributes.NONE, DataType.FLOAT32,
            dims);
        return scope.reshape(each, List.of(x), together);
    }
}
