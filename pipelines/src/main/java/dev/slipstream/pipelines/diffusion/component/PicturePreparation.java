package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.List;

/**
 * Makes of a picture what a CLIP reads of it, as diffusers' pipelines for videos do: blurred against aliasing, then
 * scaled with bicubic interpolation whose outermost samples lie on the picture's corners, then normalised.
 *
 * @param side pixels along each side of what is read
 * @param mean of red, green and blue, which is taken off; likewise {@code deviation}, by which they are divided
 */
public record PicturePreparation(int side, List<Double> mean, List<Double> deviation) {
    /** Of the pictures that CLIP was trained on. */
    static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
    static final List<Double> CLIP_DEVIATION = List.of(0.26862954, 0.26130258, 0.27577711);

    private static final double LEAST_SIGMA = 0.001;
    private static final int LEAST_KERNEL = 3;
    /** What most software takes for bicubic interpolation. */
    private static final float SHARPNESS = -0.75f;

    /** Float32 {@code [3, side, side]}. */
    public float[] prepare(Image picture) {
        Planes planes = Planes.of(picture);
        float[] blurred = blurred(planes.values(), planes.height(), planes.width(), true);
        blurred = blurred(blurred, planes.height(), planes.width(), false);
        float[] across = scaled(blurred, Planes.COLOURS * planes.height(), planes.width(), 1);
        float[] down = scaled(across, Planes.COLOURS, planes.height(), side);
        int each = side * side;
        for (int i = 0; i < down.length; i++) {
            double unit = (down[i] + 1) / 2;
            down[i] = (float) ((unit - mean.get(i / each)) / deviation.get(i / each));
        }
        return down;
    }

    /** Blurs every row, or every column, with a Gaussian kernel; what lies beyond the border is its reflection. */
    private float[] blurred(float[] planes, int height, int width, boolean along) {
        int length = along ? width : height;
        int step = along ? 1 : width;
        float[] kernel = kernel((double) length / side);
        int half = kernel.length / 2;
        float[] result = new float[planes.length];
        for (int i = 0; i < planes.length; i++) {
            int place = i / step % length;
            double sum = 0;
            for (int tap = 0; tap < kernel.length; tap++) {
                sum += kernel[tap] * planes[i + (reflected(place + tap - half, length) - place) * step];
            }
            result[i] = (float) sum;
        }
        return result;
    }

    private static int reflected(int place, int length) {
        if (length == 1) {
            return 0;
        }
        int folded = Math.floorMod(place, 2 * (length - 1));
        return Math.min(folded, 2 * (length - 1) - folded);
    }

    /** @param factor by which a side shrinks */
    private static float[] kernel(double factor) {
        double sigma = Math.max((factor - 1) / 2, LEAST_SIGMA);
        int size = (int) Math.max(4 * sigma, LEAST_KERNEL) | 1;
        float[] kernel = new float[size];
        double sum = 0;
        for (int i = 0; i < size; i++) {
            double distance = i - size / 2;
            kernel[i] = (float) Math.exp(-distance * distance / (2 * sigma * sigma));
            sum += kernel[i];
        }
        for (int i = 0; i < size; i++) {
            kernel[i] /= (float) sum;
        }
        return kernel;
    }

    /**
     * Scales one dimension to the side.
     *
     * @param groups what lies before the dimension
     * @param length of the dimension
     * @param inner what lies behind it
     */
    private float[] scaled(float[] values, int groups, int length, int inner) {
        float[] result = new float[groups * side * inner];
        float scale = side > 1 ? (float) (length - 1) / (side - 1) : 0;
        for (int to = 0; to < side; to++) {
            float place = scale * to;
            int first = (int) place;
            float[] weights = weights(place - first);
            for (int group = 0; group < groups; group++) {
                for (int i = 0; i < inner; i++) {
                    float sum = 0;
                    for (int tap = 0; tap < weights.length; tap++) {
                        int from = Math.clamp(first - 1 + tap, 0, length - 1);
                        sum += weights[tap] * values[(group * length + from) * inner + i];
                    }
                    result[(group * side + to) * inner + i] = sum;
                }
            }
        }
        return result;
    }

    /** Of the four samples around a place. @param fraction between the second and the third */
    private static float[] weights(float fraction) {
        return new float[] {outer(fraction + 1), inner(fraction), inner(1 - fraction), outer(2 - fraction)};
    }

    private static float inner(float x) {
        return ((SHARPNESS + 2) * x - (SHARPNESS + 3)) * x * x + 1;
    }

    private static float outer(float x) {
        return ((SHARPNESS * x - 5 * SHARPNESS) * x + 8 * SHARPNESS) * x - 4 * SHARPNESS;
    }
}
