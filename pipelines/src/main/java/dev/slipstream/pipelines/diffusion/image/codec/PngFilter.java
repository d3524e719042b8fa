package dev.slipstream.pipelines.diffusion.image.codec;

import java.util.zip.DataFormatException;

/**
 * PNG's filters: each line is stored as differences to its neighbours, by the filter with the smallest sum of
 * differences, as the standard recommends (W3C PNG, section 12.7).
 */
final class PngFilter {
    private static final int CHANNELS = 3;
    private static final int FILTERS = 5;

    private PngFilter() {
    }

    /** {@code height} lines, each with the number of its filter before it. */
    static byte[] filtered(Raster image) {
        int line = image.width() * CHANNELS;
        byte[] pixels = image.rgb();
        byte[] result = new byte[Math.multiplyExact(image.height(), line + 1)];
        byte[] candidate = new byte[line];
        for (int row = 0; row < image.height(); row++) {
            long least = Long.MAX_VALUE;
            for (int filter = 0; filter < FILTERS; filter++) {
                long sum = filter(filter, pixels, row * line, line, candidate);
                if (sum < least) {
                    least = sum;
                    result[row * (line + 1)] = (byte) filter;
                    System.arraycopy(candidate, 0, result, row * (line + 1) + 1, line);
                }
            }
        }
        return result;
    }

    private static long filter(int filter, byte[] pixels, int begin, int line, byte[] result) {
        long sum = 0;
        for (int i = 0; i < line; i++) {
            boolean first = i < CHANNELS;
            int left = first ? 0 : pixels[begin + i - CHANNELS] & 0xFF;
            int above = begin == 0 ? 0 : pixels[begin + i - line] & 0xFF;
            int corner = first || begin == 0 ? 0 : pixels[begin + i - line - CHANNELS] & 0xFF;
            int predicted = predicted(filter, left, above, corner);
            result[i] = (byte) (pixels[begin + i] - predicted);
            sum += Math.abs(result[i]);
        }
        return sum;
    }

    /**
     * Undoes the filters of all lines (W3C PNG, section 9.2).
     *
     * @param lines each with the number of its filter before it; changed in place
     * @throws DataFormatException if there is no such filter
     */
    static void undo(byte[] lines, PngLayout layout) throws DataFormatException {
        int length = layout.lineBytes() + 1;
        int pixel = layout.pixelBytes();
        for (int row = 0; row < layout.height(); row++) {
            int begin = row * length + 1;
            int filter = lines[begin - 1];
            if (filter < 0 || filter > 4) {
                throw new DataFormatException("there is no filter " + filter);
            }
            for (int i = 0; i < length - 1; i++) {
                int left = i < pixel ? 0 : lines[begin + i - pixel] & 0xFF;
                int above = row == 0 ? 0 : lines[begin + i - length] & 0xFF;
                int corner = i < pixel || row == 0 ? 0 : lines[begin + i - length - pixel] & 0xFF;
                lines[begin + i] += (byte) predicted(filter, left, above, corner);
            }
        }
    }

    /** A filter's prediction of a byte from the bytes around it. */
    static int predicted(int filter, int left, int above, int corner) {
        return switch (filter) {
            case 0 -> 0;
            case 1 -> left;
            case 2 -> above;
            case 3 -> (left + above) / 2;
            default -> paeth(left, above, corner);
        };
    }

    /** Of the three, the one nearest to {@code left + above - corner}. */
    private static int paeth(int left, int above, int corner) {
        int toLeft = Math.abs(above - corner);
        int toAbove = Math.abs(left - corner);
        int toCorner = Math.abs(left + above - 2 * corner);
        if (toLeft <= toAbove && toLeft <= toCorner) {
            return left;
        }
        return toAbove <= toCorner ? above : corner;
    }
}
