package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.List;

/**
 * Where patches lie, as sinusoids, for a grid of any size: diffusers' {@code get_2d_sincos_pos_embed}. Whatever the
 * size, positions reach as far along each side as those of the grid that the model was trained on.
 *
 * @param base patches along a side of that grid
 * @param interpolation what positions are divided by
 */
public record GridPositions(int base, double interpolation) {
    private static final double LONGEST_PERIOD = 10_000;

    /**
     * @param width channels of a token, of which half are for its column and half for its row
     * @throws dev.slipstream.pipelines.model.ModelException if the width has no such halves, or positions no length
     */
    public static GridPositions read(ConfigFile config, int side, int patch, double interpolation, int width) {
        if (width % 4 != 0) {
            throw config.wrong("attention_head_dim", "gives " + width + " channels, and positions need a multiple of "
                + "4");
        }
        if (side < patch) {
            throw config.wrong("sample_size", "is " + side + ", and a patch has sides of " + patch);
        }
        if (!(interpolation > 0)) {
            throw config.wrong("interpolation_scale", "must be more than 0, not " + interpolation);
        }
        return new GridPositions(side / patch, interpolation);
    }

    /** @return [1, patches, channels]: for each the column, then the row, of each the sines, then the cosines */
    public Value apply(Scope scope, Patches patches, long channels) {
        Value columns = waves(scope, patches.across(scope), patches.grid().dim(3), channels);
        Value rows = waves(scope, patches.down(scope), patches.grid().dim(2), channels);
        List<Dim> all = List.of(rows.dim(0), columns.dim(0), columns.dim(1));
        Value size = scope.concat(0, patches.down(scope), patches.across(scope), scope.integers(channels / 2));
        Value spread = scope.node("Expand", List.of(columns, size), Attributes.NONE, DataType.FLOAT32, all);
        Value repeated = scope.node("Expand", List.of(scope.reshape(rows, rows.dim(0), Dim.ONE, rows.dim(1)), size),
            Attributes.NONE, DataType.FLOAT32, all);
        return scope.reshape(scope.concat(-1, spread, repeated), Dim.ONE, patches.count(), Dim.of(channels));
    }

    /** @param count int64[1] @return [count, channels / 2] */
    private Value waves(Scope scope, Value count, Dim dim, long channels) {
        Value end = scope.node("Squeeze", List.of(count, scope.integers(0)), Attributes.NONE, DataType.INT64,
            List.of());
        Value index = scope.node("Range", List.of(scope.integer(0), end, scope.integer(1)), Attributes.NONE,
            DataType.INT64, List.of(dim));
        Value places = scope.mul(scope.cast(index, DataType.FLOAT32), scope.scalar(base));
        Value reach = scope.mul(scope.cast(count, DataType.FLOAT32), scope.scalar(interpolation));
        Value column = scope.reshape(scope.div(places, reach), dim, Dim.ONE);
        Value angles = scope.mul(column, scope.reals(frequencies(Math.toIntExact(channels / 4))));
        return scope.concat(-1, scope.map("Sin", angles), scope.map("Cos", angles));
    }

    private static float[] frequencies(int count) {
        float[] frequencies = new float[count];
        for (int i = 0; i < count; i++) {
            frequencies[i] = (float) (1 / Math.pow(LONGEST_PERIOD, (double) i / count));
        }
        return frequencies;
    }
}
