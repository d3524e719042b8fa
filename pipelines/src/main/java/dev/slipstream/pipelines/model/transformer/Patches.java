package dev.slipstream.pipelines.model.transformer;

import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import java.util.List;

/**
 * A picture as patches, row by row, each a token.
 *
 * @param tokens [rows, patches, channels]
 * @param grid [rows, channels, patches down, patches across], for its sizes
 * @param side pixels of a patch
 */
public record Patches(Value tokens, Value grid, int side) {
    /** Embeds each patch. @param proj the convolution that does it @param picture [rows, channels, height, width] */
    public static Patches embed(Scope proj, Value picture, long channels, int side) {
        Value grid = proj.conv(picture, proj.weight("weight", channels, picture.size(1), side, side),
            proj.weight("bias", channels), side, 0);
        Value flat = proj.reshape(grid, grid.dim(0), grid.dim(1), grid.dim(2).times(grid.dim(3)));
        return new Patches(proj.transpose(flat, 0, 2, 1), grid, side);
    }

    /** How many rows of patches there are; int64[1]. */
    public Value down(Scope scope) {
        return scope.size(grid, 2);
    }

    /** How many patches a row has; int64[1]. */
    public Value across(Scope scope) {
        return scope.size(grid, 3);
    }

    /** The number of patches. */
    public Dim count() {
        return grid.dim(2).times(grid.dim(3));
    }

    /**
     * A picture of which each token tells a patch: row by row, for each pixel the channels.
     *
     * @param predicted [rows * patches, side * side * channels]
     * @return [rows, channels, height, width]
     */
    public Value picture(Scope scope, Value predicted) {
        Value placed = scope.reshape(predicted, List.of(grid), grid.dim(0), grid.dim(2), grid.dim(3),
            predicted.dim(1));
        Value depth = scope.transpose(placed, 0, 3, 1, 2);
        return scope.node("DepthToSpace", List.of(depth), Attributes.NONE.integer("blocksize", side), depth.type(),
            List.of(depth.dim(0), depth.dim(1).over((long) side * side), depth.dim(2).times(side),
                depth.dim(3).times(side)));
    }
}
