package dev.slipstream.pipelines.diffusion.image.codec;

/**
 * The pixels of a picture file. It does not copy the bytes, which nobody changes after they were given to it.
 *
 * @param rgb 8 bits each of red, green and blue, row by row from the top: {@code [height, width, 3]}
 */
public record Raster(int width, int height, byte[] rgb) {
    /** Pictures with more pixels are neither read nor written; a little more than 8K. */
    public static final int MOST_PIXELS = 1 << 25;
    /** Bytes of a pixel. */
    public static final int CHANNELS = 3;
}
