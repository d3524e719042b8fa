package dev.slipstream.pipelines.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AspectRatiosTest {
    /** As diffusers' {@code classify_height_width_bin} maps them. */
    @ParameterizedTest
    @CsvSource({"1024, 1024,1024, 1024,1024", "1024, 768,1344, 768,1344", "1024, 720,1280, 768,1344",
        "1024, 1080,1920, 768,1344", "1024, 1000,1000, 1024,1024", "1024, 100,1000, 512,2048",
        "1024, 3000,1000, 1728,576", "1024, 900,1000, 960,1088", "1024, 512,768, 832,1216", "512, 512,768, 416,608",
        "512, 10,40, 256,1024", "256, 300,290, 256,256", "256, 40,10, 512,128", "2048, 1024,3900, 1024,3968",
        "2048, 2048,2048, 2048,2048", "2048, 3600,1000, 3712,1024", "1024, 3600,1000, 2048,512"})
    void theMostAlikeProportionsAreTaken(int side, int height, int width, int drawnHeight, int drawnWidth) {
        assertEquals(new LatentGrid.Size(drawnHeight, drawnWidth),
            AspectRatios.of(side).orElseThrow().nearest(height, width));
    }

    @ParameterizedTest
    @ValueSource(ints = {64, 768, 4096})
    void modelsOfOtherSizesHaveNone(int side) {
        assertTrue(AspectRatios.of(side).isEmpty());
    }
}
