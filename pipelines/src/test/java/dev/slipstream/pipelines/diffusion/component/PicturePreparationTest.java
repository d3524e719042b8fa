package dev.slipstream.pipelines.diffusion.component;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.image.Image;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a CLIP is given of pictures whose channel c has (37 x + 61 y + 89 c + 7 x y) mod 256 at column x and row y. The
 * numbers were computed with torch 1.13 (pad "reflect", conv2d, and interpolate "bicubic" with align_corners) by
 * diffusers' formulas.
 */
class PicturePreparationTest {
    private static Image picture(int width, int height) {
        byte[] rgb = new byte[width * height * 3];
        for (int i = 0; i < rgb.length; i++) {
            int x = i / 3 % width;
            int y = i / 3 / width;
            rgb[i] = (byte) (37 * x + 61 * y + 89 * (i % 3) + 7 * x * y);
        }
        return Image.of(width, height, rgb);
    }

    @ParameterizedTest
    @CsvSource({
        "50, 31, 8, -0.113085, 0.287402, 0.241145, 0.214004, -0.307521, 42.5519",
        "5, 90, 8, -0.013257, -0.134497, 0.397258, 0.371638, -0.035809, 37.3098",
        "6, 4, 8, -1.792263, 1.375596, -1.30897, -0.570044, -1.511973, 156.344",
        "300, 250, 224, -1.792263, -0.609792, 0.230952, -0.764892, 0.859255, 118881.5943"})
    void numbersAreThoseOfTheReference(int width, int height, int side, double first, double last, double middle,
        double other, double corner, double sumOfSizes) {
        float[] made = new PicturePreparation(side, PicturePreparation.CLIP_MEAN, PicturePreparation.CLIP_DEVIATION)
            .prepare(picture(width, height));

        int plane = side * side;
        assertEquals(3 * plane, made.length);
        assertEquals(first, made[0], 1e-5);
        assertEquals(last, made[plane - 1], 1e-5);
        assertEquals(middle, made[plane + 3 * side + 5], 1e-5);
        assertEquals(other, made[2 * plane + side / 2 * side + 1], 1e-5);
        assertEquals(corner, made[plane + (side - 1) * side], 1e-5);
        double sum = 0;
        for (float value : made) {
            sum += Math.abs(value);
        }
        assertEquals(sumOfSizes, sum, 2e-6 * sumOfSizes);
    }
}
