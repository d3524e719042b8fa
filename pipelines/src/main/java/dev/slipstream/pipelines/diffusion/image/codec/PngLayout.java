package dev.slipstream.pipelines.diffusion.image.codec;

import java.util.Optional;

/**
 * How the pixels of a PNG file are stored in its lines.
 *
 * @param depth bits of a sample: 1, 2, 4, 8 or 16
 * @param channels samples of a pixel
 */
record PngLayout(int width, int height, int depth, int channels, boolean isIndexed) {
    private static final int BYTE = 8;

    /** @return empty if the standard has no such depth and type of colour (table 11.1) */
    static Optional<PngLayout> of(int width, int height, int depth, int colourType) {
        boolean valid = switch (colourType) {
            case 0 -> depth == 1 || depth == 2 || depth == 4 || depth == BYTE || depth == 2 * BYTE;
            case 3 -> depth == 1 || depth == 2 || depth == 4 || depth == BYTE;
            case 2, 4, 6 -> depth == BYTE || depth == 2 * BYTE;
            default -> false;
        };
        int channels = switch (colourType) {
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> 1;
        };
        return valid ? Optional.of(new PngLayout(width, height, depth, channels, colourType == 3)) : Optional.empty();
    }

    boolean isGrey() {
        return channels < 3;
    }

    /** Without the number of the filter before it. */
    int lineBytes() {
        return Math.toIntExact(Math.ceilDiv((long) width * channels * depth, BYTE));
    }

    /** How far back a filter finds the pixel to the left. */
    int pixelBytes() {
        return Math.max(1, channels * depth / BYTE);
    }

    /** A sample as it is stored; of 16 bits the upper 8. @param line where the line begins */
    int sample(byte[] lines, int line, int column, int channel) {
        int index = column * channels + channel;
        if (depth >= BYTE) {
            return lines[line + index * (depth / BYTE)] & 0xFF;
        }
        int bit = index * depth;
        return (lines[line + bit / BYTE] & 0xFF) >> (BYTE - depth - bit % BYTE) & (1 << depth) - 1;
    }

    /** A sample of a colour or of grey, from 0 to 255. */
    byte level(int sample) {
        return (byte) (depth >= BYTE ? sample : sample * 255 / ((1 << depth) - 1));
    }
}
