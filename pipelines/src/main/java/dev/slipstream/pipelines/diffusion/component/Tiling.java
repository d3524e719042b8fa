package dev.slipstream.pipelines.diffusion.component;

import java.util.ArrayList;
import java.util.List;

/**
 * Works in tiles that overlap and fade into each other, so that the memory that an autoencoder needs does not grow with
 * the picture. Tiles lie and fade as in diffusers' {@code tiled_decode} and {@code tiled_encode}, each beginning three
 * quarters of a tile after the one before and fading in linearly over what they share, but for two things: the last of
 * a row or column is a whole tile that overlaps more, where diffusers takes what is left, as engines are for one size;
 * and where four tiles meet, rows are joined before they fade into the row above, so that each tile has its share.
 *
 * @param height of a tile, in latent pixels
 * @param width likewise
 */
record Tiling(int height, int width) {
    /** The share of a tile that the next one overlaps. */
    private static final double OVERLAP = 0.25;

    /** Makes one tile. */
    interface Maker {
        /** @param top where the tile begins, in latent pixels; likewise {@code left} */
        Planes tile(int top, int left);
    }

    /** Tiles of such a side, or of that of the latents where these are smaller. */
    static Tiling of(int side, long latentHeight, long latentWidth) {
        return new Tiling((int) Math.min(side, latentHeight), (int) Math.min(side, latentWidth));
    }

    /**
     * Makes all tiles and joins them; a single tile is left as it is.
     *
     * @param wholeHeight of all tiles, in latent pixels; likewise {@code wholeWidth}
     * @param maker of tiles that are all larger than in latent pixels by the same whole factor, or of that size
     */
    Planes join(int wholeHeight, int wholeWidth, Maker maker) {
        Planes whole = null;
        int lastRow = 0;
        for (int top : starts(wholeHeight, height)) {
            Planes band = band(top, wholeWidth, maker);
            int factor = band.height() / height;
            if (whole == null) {
                whole = Planes.of(band.channels(), wholeHeight * factor, band.width());
            }
            whole.paste(band, top * factor, 0, (top == 0 ? 0 : lastRow - top) * factor, 0);
            lastRow = top + height;
        }
        return whole;
    }

    /** A row of tiles, joined. */
    private Planes band(int top, int wholeWidth, Maker maker) {
        Planes band = null;
        int lastColumn = 0;
        for (int left : starts(wholeWidth, width)) {
            Planes tile = maker.tile(top, left);
            int factor = tile.width() / width;
            if (band == null) {
                band = Planes.of(tile.channels(), tile.height(), wholeWidth * factor);
            }
            band.paste(tile, 0, left * factor, 0, (left == 0 ? 0 : lastColumn - left) * factor);
            lastColumn = left + width;
        }
        return band;
    }

    /** Where tiles begin; the last one ends where the latents end. */
    static List<Integer> starts(int length, int tile) {
        int step = Math.max(1, (int) (tile * (1 - OVERLAP)));
        List<Integer> starts = new ArrayList<>();
        for (int start = 0; start + tile < length; start += step) {
            starts.add(start);
        }
        starts.add(length - tile);
        return starts;
    }
}
