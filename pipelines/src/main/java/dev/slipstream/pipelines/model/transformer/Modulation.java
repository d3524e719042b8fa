package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Linear;
import java.util.List;

/**
 * Norms as in DiT (Peebles and Xie 2022): without weights of their own, scaled and shifted by what the timestep and
 * other conditions say, which diffusers calls {@code AdaLayerNorm*}.
 */
public final class Modulation {
    private Modulation() {
    }

    /**
     * What a linear layer makes of the conditions.
     *
     * @param linear the layer
     * @param conditions activated, [rows or 1, width]
     * @return {@code parts} values [rows or 1, 1, width], in the layer's order
     */
    public static List<Value> of(Scope linear, Value conditions, long width, int parts) {
        return parts(linear, Linear.apply(linear, conditions, parts * width), parts);
    }

    /**
     * Cuts what belongs to a token into values that broadcast along tokens. Works for any number of rows: a graph that
     * was written for one timestep may be run with one for each row.
     *
     * @param all [rows or 1, parts * width]
     */
    public static List<Value> parts(Scope scope, Value all, int parts) {
        Value each = scope.node("Reshape", List.of(all, scope.integers(-1, 1, all.size(1))), Attributes.NONE,
            all.type(), List.of(all.dim(0), Dim.ONE, all.dim(1)));
        return scope.split(each, parts);
    }

    /** The norm alone. @param x [rows, tokens, width] */
    public static Value normal(Scope scope, Value x, double epsilon) {
        int width = Math.toIntExact(x.size(-1));
        return scope.layerNorm(x, scope.filled(1, width), scope.filled(0, width), epsilon);
    }

    /** {@code normal · (1 + scale) + shift}. */
    public static Value apply(Scope scope, Value normal, Value shift, Value scale) {
        return scope.add(scope.mul(normal, scope.add(scale, scope.scalar(1))), shift);
    }

    /**
     * The last norm of a network, diffusers' {@code AdaLayerNormContinuous}: its layer gives the scale first.
     *
     * @param x [rows, tokens, width]
     * @param conditions activated, [rows, width]
     */
    public static Value continuous(Scope scope, Value x, Value conditions, double epsilon) {
        List<Value> parts = of(scope.child("linear"), conditions, x.size(-1), 2);
        return apply(scope, normal(scope, x, epsilon), parts.get(1), parts.get(0));
    }

    /** {@code x + gate · change}. @param change [rows * tokens, width] */
    public static Value gated(Scope scope, Value x, Value gate, Value change) {
        return scope.add(x, scope.mul(gate, Tokens.rows(scope, change, x)));
    }
}
