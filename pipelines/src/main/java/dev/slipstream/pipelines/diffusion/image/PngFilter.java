package dev.slipstream.pipelines.diffusion.image;

/**
 * PNG's filters: each line becomes the differences to its neighbours, by the filter whose differences are smallest in
 * sum, which is the choice that the standard recommends (W3C PNG, section 12.7).
 */
final class PngFilter {
    private static final int CHANNELS = 3;
    private static final int FILTERS = 5;

    private PngFilter() {
    }

    /** {@code height} lines, each with the number of its filter before it. */
    static byte[] filtered(Image image) {
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

    /** What a filter takes a byte for, by the bytes around it. */
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
