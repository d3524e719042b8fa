package dev.slipstream.pipelines.diffusion.image;

/**
 * Scales pictures with a triangle as filter, as wide as the picture shrinks, first across and then down: "bilinear" of
 * usual image software.
 */
final class ImageScaling {
    private static final int CHANNELS = 3;

    private ImageScaling() {
    }

    static byte[] scaled(byte[] pixels, int width, int height, int newWidth, int newHeight) {
        float[] across = new float[Math.multiplyExact(Math.multiplyExact(newWidth, height), CHANNELS)];
        for (int column = 0; column < newWidth; column++) {
            Window window = Window.of(column, newWidth, width);
            for (int row = 0; row < height; row++) {
                for (int channel = 0; channel < CHANNELS; channel++) {
                    float sum = 0;
                    for (int i = 0; i < window.weights.length; i++) {
                        sum += window.weights[i]
                            * (pixels[(row * width + window.first + i) * CHANNELS + channel] & 0xFF);
                    }
                    across[(row * newWidth + column) * CHANNELS + channel] = sum;
                }
            }
        }
        int line = newWidth * CHANNELS;
        byte[] result = new byte[Math.multiplyExact(line, newHeight)];
        for (int row = 0; row < newHeight; row++) {
            Window window = Window.of(row, newHeight, height);
            for (int at = 0; at < line; at++) {
                float sum = 0;
                for (int i = 0; i < window.weights.length; i++) {
                    sum += window.weights[i] * across[(window.first + i) * line + at];
                }
                result[row * line + at] = (byte) Math.clamp(Math.round(sum), 0, 255);
            }
        }
        return result;
    }

    /** The old pixels that a new one is mixed from. */
    private record Window(int first, float[] weights) {
        static Window of(int index, int newLength, int length) {
            double scale = (double) length / newLength;
            double reach = Math.max(1, scale);
            double centre = (index + 0.5) * scale;
            int first = Math.max(0, (int) (centre - reach + 0.5));
            int end = Math.min(length, (int) (centre + reach + 0.5));
            float[] weights = new float[end - first];
            double sum = 0;
            for (int i = 0; i < weights.length; i++) {
                double distance = Math.abs(first + i + 0.5 - centre) / reach;
                weights[i] = (float) Math.max(0, 1 - distance);
                sum += weights[i];
            }
            for (int i = 0; i < weights.length; i++) {
                weights[i] = (float) (weights[i] / sum);
            }
            return new Window(first, weights);
        }
    }
}
