package dev.slipstream.pipelines.model.layer;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Sinusoids.Exponential;
import java.util.List;

/** The timestep, and other numbers and texts that belong to a whole picture, as vectors. */
public final class NumberEmbedding {
    /** Of the transformers among denoisers. */
    public static final Sinusoids SINUSOIDS = new Sinusoids(256, true, 0, Exponential.SLEEF);

    private NumberEmbedding() {
    }

    /** Adds the input {@code timestep}: a scalar, one element or one a row. @return float32 [rows or 1, 1] */
    public static Value timestep(GraphBuilder builder, DataType type) {
        Value given = builder.inputOfAnyShape("timestep", type, Dim.ONE);
        return column(builder.root(), type == DataType.FLOAT32 ? given
            : builder.root().cast(given, DataType.FLOAT32));
    }

    /** @param x any shape @return [elements, 1] */
    public static Value column(Scope scope, Value x) {
        return scope.node("Reshape", List.of(x, scope.integers(-1, 1)), Attributes.NONE, x.type(),
            List.of(x.dims().stream().reduce(Dim.ONE, Dim::times), Dim.ONE));
    }

    /**
     * diffusers' {@code TimestepEmbedding} and {@code PixArtAlphaTextProjection}: two linear layers.
     *
     * @param x [rows, inputs]
     * @return [rows, width]
     */
    public static Value mlp(Scope scope, Value x, long width, Activation activation) {
        Value hidden = Linear.apply(scope.child("linear_1"), x, width);
        return Linear.apply(scope.child("linear_2"), activation.apply(scope.child("act"), hidden), width);
    }

    /** Numbers as sinusoids, and these embedded. @param x [rows, 1] @return [rows, width] */
    public static Value ofNumbers(Scope scope, Value x, long width) {
        return mlp(scope, SINUSOIDS.apply(scope, x), width, Activation.SILU);
    }
}
