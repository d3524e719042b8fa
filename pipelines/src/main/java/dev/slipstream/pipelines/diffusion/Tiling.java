package dev.slipstream.pipelines.diffusion;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Decodes latents in tiles that overlap and fade into each other, so that the memory that a decoder needs does not grow
 * with the picture. Tiles lie and fade as in diffusers' {@code tiled_decode}, but for the last of a row or column:
 * there diffusers takes what is left, here it is a whole tile that overlaps more, as engines are for one size.
 *
 * @param height of a tile, in latent pixels
 * @param width likewise
 */
record Tiling(int height, int width) {
    /** The share of a tile that the next one overlaps. */
    private static final double OVERLAP = 0.25;

    /** Tiles of such a side, or of that of the latents where these are smaller. */
    static Tiling of(int side, long latentHeight, long latentWidth) {
        return new Tiling((int) Math.min(side, latentHeight), (int) Math.min(side, latentWidth));
    }

    /**
     * Decodes all tiles and joins them; a single tile is decoded as it is.
     *
     * @param decode from latents of a tile to its picture, which is larger by a whole factor
     */
    Planes decode(Planes latents, UnaryOperator<Planes> decode) {
        Planes picture = null;
        int lastRow = 0;
        for (int top : starts(latents.height(), height)) {
            Planes band = band(latents, top, decode);
            int factor = band.height() / height;
            if (picture == null) {
                picture = Planes.of(band.channels(), latents.height() * factor, band.width());
            }
            picture.paste(band, top * factor, 0, (top == 0 ? 0 : lastRow - top) * factor, 0);
            lastRow = top + height;
        }
        return picture;
    }

    /** A row of tiles, joined. */
    private Planes band(Planes latents, int top, UnaryOperator<Planes> decode) {
        Planes band = null;
        int lastColumn = 0;
        for (int left : starts(latents.width(), width)) {
            Planes tile = decode.apply(latents.cut(top, left, height, width));
            int factor = tile.width() / width;
            if (band == null) {
                band = Planes.of(tile.channels(), tile.height(), latents.width() * factor);
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
