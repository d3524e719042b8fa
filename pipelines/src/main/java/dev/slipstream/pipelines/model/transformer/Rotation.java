package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.transformer.Attention.Parts;
import java.util.ArrayList;
import java.util.List;

/**
 * Rotary positions: neighbouring channels of each head are turned as pairs, by angles that grow with the position.
 *
 * @param cosines [tokens, 1, head size]
 * @param sines likewise, negative for the first channel of each pair
 */
public record Rotation(Value cosines, Value sines) {
    private static final double THETA = 10_000;

    /**
     * The angles of some tokens.
     *
     * @param positions float32[tokens, axes]
     * @param axes channels that each number of a position turns
     */
    public static Rotation of(Scope scope, Value positions, List<Integer> axes) {
        List<Value> cosines = new ArrayList<>();
        List<Value> sines = new ArrayList<>();
        List<Value> numbers = scope.split(positions, axes.size());
        for (int axis = 0; axis < axes.size(); axis++) {
            // Each number is turned into waves before they are put together, so that none is narrowed before.
            Value angles = scope.mul(numbers.get(axis), scope.reals(frequencies(axes.get(axis))));
            cosines.add(scope.map("Cos", angles));
            sines.add(scope.map("Sin", angles));
        }
        return new Rotation(table(scope, cosines), scope.mul(table(scope, sines), signs(scope, axes)));
    }

    /** [tokens, 1, head size], which broadcasts along heads. */
    private static Value table(Scope scope, List<Value> parts) {
        Value table = scope.concat(-1, parts.toArray(Value[]::new));
        return scope.reshape(table, table.dim(0), Dim.ONE, table.dim(1));
    }

    private static Value signs(Scope scope, List<Integer> axes) {
        float[] signs = new float[axes.stream().mapToInt(Integer::intValue).sum()];
        for (int i = 0; i < signs.length; i++) {
            signs[i] = i % 2 == 0 ? -1 : 1;
        }
        return scope.reals(signs);
    }

    /** Each comes twice, once for each channel of a pair. */
    private static float[] frequencies(int channels) {
        float[] frequencies = new float[channels];
        for (int i = 0; i < channels; i++) {
            frequencies[i] = (float) (1 / Math.pow(THETA, (double) (i - i % 2) / channels));
        }
        return frequencies;
    }

    /** For tokens of this, then those of another. */
    public Rotation then(Scope scope, Rotation other) {
        return new Rotation(scope.concat(0, cosines, other.cosines), scope.concat(0, sines, other.sines));
    }

    /** Turns queries and keys. @param parts with heads apart */
    public Parts turn(Scope scope, Parts parts) {
        return new Parts(parts.query().map(query -> turned(scope, query)), turned(scope, parts.key()), parts.value());
    }

    /** @param x [rows, tokens, heads, head size] */
    private Value turned(Scope scope, Value x) {
        Value pairs = scope.reshape(x, x.dim(0), x.dim(1), x.dim(2), x.dim(3).over(2), Dim.of(2));
        Value swapped = scope.node("Gather", List.of(pairs, scope.integers(1, 0)), Attributes.NONE.integer("axis", -1),
            DataType.FLOAT32, pairs.dims());
        Value other = scope.reshape(swapped, x.dim(0), x.dim(1), x.dim(2), x.dim(3));
        return scope.add(scope.mul(x, cosines), scope.mul(other, sines));
    }
}
