package dev.slipstream.pipelines.diffusion.calibration;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How like two pictures are, of 8 bits a channel.
 *
 * @param decibels peak signal-to-noise ratio; {@link #IDENTICAL} if they are the same
 * @param similarity of structures, the mean over all pixels and channels, 1 if they are the same (Wang et al.,
 *     "Image quality assessment: from error visibility to structural similarity", 2004)
 * @param difference largest difference of a channel of a pixel, 0 to 255
 */
public record Likeness(double decibels, double similarity, int difference) {
    /** Used instead of infinity, so that means are finite: two small pictures that differ never have as much. */
    public static final double IDENTICAL = 100;
    private static final double PEAK = 255;
    private static final int CHANNELS = 3;

    /** @throws IllegalArgumentException if their sizes differ */
    public static Likeness of(Image one, Image other) {
        byte[] first = one.rgb();
        byte[] second = other.rgb();
        if (one.width() != other.width() || first.length != second.length) {
            throw new IllegalArgumentException("pictures of " + one + " and " + other + " cannot be compared");
        }
        long squares = 0;
        int largest = 0;
        for (int i = 0; i < first.length; i++) {
            int difference = Math.abs((first[i] & 0xFF) - (second[i] & 0xFF));
            squares += (long) difference * difference;
            largest = Math.max(largest, difference);
        }
        double decibels = squares == 0 ? IDENTICAL : 10 * Math.log10(PEAK * PEAK * first.length / squares);
        double similarity = IntStream.range(0, CHANNELS).mapToDouble(channel -> Structure.similarity(
            plane(first, channel), plane(second, channel), one.width())).average().orElseThrow();
        return new Likeness(Math.min(decibels, IDENTICAL), similarity, largest);
    }

    /** Of pictures in the same order. */
    public static List<Likeness> of(List<Image> exact, List<Image> drawn) {
        return IntStream.range(0, exact.size()).mapToObj(i -> of(exact.get(i), drawn.get(i))).toList();
    }

    private static double[] plane(byte[] rgb, int channel) {
        double[] plane = new double[rgb.length / CHANNELS];
        for (int i = 0; i < plane.length; i++) {
            plane[i] = rgb[i * CHANNELS + channel] & 0xFF;
        }
        return plane;
    }

    /** Of one channel, with the paper's window and constants; at edges the window is cut off. */
    private static final class Structure {
        private static final int REACH = 5;
        private static final double DEVIATION = 1.5;
        private static final double LIGHT = Math.pow(0.01 * PEAK, 2);
        private static final double CONTRAST = Math.pow(0.03 * PEAK, 2);
        private static final double[] WINDOW = IntStream.rangeClosed(-REACH, REACH)
            .mapToDouble(at -> Math.exp(-at * at / (2 * DEVIATION * DEVIATION))).toArray();

        private Structure() {
        }

        static double similarity(double[] one, double[] other, int width) {
            double[] mean = blurred(one, width);
            double[] otherMean = blurred(other, width);
            double[] square = blurred(product(one, one), width);
            double[] otherSquare = blurred(product(other, other), width);
            double[] both = blurred(product(one, other), width);
            double sum = 0;
            for (int i = 0; i < one.length; i++) {
                double means = mean[i] * otherMean[i];
                double meanSquares = mean[i] * mean[i] + otherMean[i] * otherMean[i];
                double variances = square[i] + otherSquare[i] - meanSquares;
                sum += (2 * means + LIGHT) * (2 * (both[i] - means) + CONTRAST)
                    / ((meanSquares + LIGHT) * (variances + CONTRAST));
            }
            return sum / one.length;
        }

        private static double[] product(double[] one, double[] other) {
            return IntStream.range(0, one.length).mapToDouble(i -> one[i] * other[i]).toArray();
        }

        /** The mean around each pixel, weighted by the window: first along rows, then along columns. */
        private static double[] blurred(double[] plane, int width) {
            int height = plane.length / width;
            double[] rows = new double[plane.length];
            double[] blurred = new double[plane.length];
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    rows[y * width + x] = mean(plane, y * width, 1, x, width);
                }
            }
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    blurred[y * width + x] = mean(rows, x, width, y, height);
                }
            }
            return blurred;
        }

        private static double mean(double[] values, int start, int stride, int at, int count) {
            double sum = 0;
            double weights = 0;
            for (int near = Math.max(0, at - REACH); near <= Math.min(count - 1, at + REACH); near++) {
                double weight = WINDOW[near - at + REACH];
                sum += weight * values[start + near * stride];
                weights += weight;
            }
            return sum / weights;
        }
    }
}
