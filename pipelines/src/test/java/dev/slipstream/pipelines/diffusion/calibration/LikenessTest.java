package dev.slipstream.pipelines.diffusion.calibration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.diffusion.image.Image;
import org.junit.jupiter.api.Test;

class LikenessTest {
    private static Image image(int... values) {
        byte[] rgb = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            rgb[i] = (byte) values[i];
        }
        return Image.of(values.length / 3, 1, rgb);
    }

    @Test
    void identicalPicturesHaveTheHighestLikeness() {
        assertEquals(new Likeness(100, 1, 0), Likeness.of(image(1, 2, 255), image(1, 2, 255)));
    }

    @Test
    void blackAndWhiteHaveNone() {
        Likeness likeness = Likeness.of(image(0, 0, 0), image(255, 255, 255));
        assertEquals(0, likeness.decibels());
        assertEquals(0, likeness.similarity(), 0.001);
        assertEquals(255, likeness.difference());
    }

    @Test
    void bytesAboveTheHalfAreNotNegative() {
        // The mean of 0, 1 and 100 squared over 6 values is 1667; 255 squared over that is 39.0, which is 15.9 dB.
        Likeness likeness = Likeness.of(image(200, 128, 127, 0, 0, 0), image(100, 127, 127, 0, 0, 0));
        assertEquals(15.91, likeness.decibels(), 0.01);
        assertEquals(100, likeness.difference());
    }

    /** The expected value is that of a plain two-dimensional sum over the windows, written in another language. */
    @Test
    void similarityOfStructuresIsThatOfThePaper() {
        int width = 9;
        byte[] one = new byte[width * 8 * 3];
        byte[] other = new byte[one.length];
        long state = 1;
        for (int i = 0; i < one.length; i++) {
            state = (state * 1103515245 + 12345) % (1L << 31);
            int value = (int) (state >> 16) & 255;
            one[i] = (byte) value;
            other[i] = (byte) Math.clamp(value + i * 7 % 41 - 20, 0, 255);
        }
        Likeness likeness = Likeness.of(Image.of(width, 8, one), Image.of(width, 8, other));
        assertEquals(0.9856016104612734, likeness.similarity(), 1e-12);
    }

    @Test
    void picturesOfDifferentSizesCannotBeCompared() {
        assertThrows(IllegalArgumentException.class, () -> Likeness.of(image(0, 0, 0), image(0, 0, 0, 0, 0, 0)));
    }
}
