package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.samples.bench.BenchRow.Likeness;
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
        assertEquals(new Likeness(100, 0), Likeness.of(image(1, 2, 255), image(1, 2, 255)));
    }

    @Test
    void blackAndWhiteHaveNone() {
        assertEquals(new Likeness(0, 255), Likeness.of(image(0, 0, 0), image(255, 255, 255)));
    }

    @Test
    void bytesAboveTheHalfAreNotNegative() {
        // The mean of 0, 1 and 100 squared over 6 values is 1667; 255 squared over that is 39.0, which is 15.9 dB.
        Likeness likeness = Likeness.of(image(200, 128, 127, 0, 0, 0), image(100, 127, 127, 0, 0, 0));
        assertEquals(15.91, likeness.decibels(), 0.01);
        assertEquals(100, likeness.difference());
    }

    @Test
    void picturesOfDifferentSizesCannotBeCompared() {
        assertThrows(IllegalArgumentException.class, () -> Likeness.of(image(0, 0, 0), image(0, 0, 0, 0, 0, 0)));
    }
}
