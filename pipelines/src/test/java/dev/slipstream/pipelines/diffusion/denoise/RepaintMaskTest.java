package dev.slipstream.pipelines.diffusion.denoise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.diffusion.image.Image;
import org.junit.jupiter.api.Test;

class RepaintMaskTest {
    /** diffusers: {@code mask.view(height, 2, width, 2).permute(1, 3, 0, 2)}. */
    @Test
    void thePixelsOfALatentAreItsChannelsRowByRow() {
        byte[] rgb = new byte[4 * 6 * 3];
        for (int pixel : new int[] {0, 7, 10, 23}) {
            rgb[3 * pixel] = (byte) 255;
            rgb[3 * pixel + 1] = (byte) 255;
            rgb[3 * pixel + 2] = (byte) 255;
        }
        // Columns and rows of the white ones: (0, 0), (1, 1), (4, 1), (5, 3).
        float[] channels = RepaintMask.pixels(Image.of(6, 4, rgb), 2);
        assertEquals(4 * 2 * 3, channels.length);
        assertArrayEquals(new float[] {1, 0, 0, 0, 0, 0, /* right */ 0, 0, 0, 0, 0, 0,
            /* below */ 0, 0, 1, 0, 0, 0, /* both */ 1, 0, 0, 0, 0, 1}, channels);
    }
}
