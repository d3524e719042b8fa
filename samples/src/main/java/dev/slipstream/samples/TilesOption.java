package dev.slipstream.samples;

import dev.slipstream.pipelines.diffusion.Tiles;
import picocli.CommandLine.Option;

/** In what pieces pictures are decoded and encoded. */
public final class TilesOption {
    @Option(names = "--tiles", paramLabel = "SIZE", order = 9, defaultValue = "off",
        description = "Decode, and encode given pictures, in overlapping tiles of SIZE pixels a side, or with auto of "
            + "the size that the model's autoencoder was trained on: less memory for large pictures, whose colours "
            + "may shift a little from tile to tile (${DEFAULT-VALUE}).")
    private String tiles;

    /** @throws IllegalArgumentException if it is neither a size nor a word that is known */
    public Tiles tiles() {
        return Tiles.parse(tiles);
    }
}
