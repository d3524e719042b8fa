package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** From checkpoints with tiny random weights to pictures, every family under every plan. */
@Timeout(120)
@Tag("slow")
class FamiliesTest {
    private static final int STEPS = 4;

    @TempDir
    private Path folder;

    static Image picture(int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        new Random(5).nextBytes(pixels);
        return Image.of(width, height, pixels);
    }

    /** White on the right half. */
    static Image mask(int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i / 3 % width >= width / 2 ? 255 : 0);
        }
        return Image.of(width, height, pixels);
    }

    static ImageRequest request(Family family) {
        ImageRequest request = ImageRequest.of("a red star").withSteps(STEPS).withSeed(7).withGuidance(3);
        return switch (family) {
            case STABLE_DIFFUSION -> request.withGuidanceRescale(0.7);
            case LATENT_CONSISTENCY, SDXL -> request;
            case INPAINTING -> request.withGiven(GivenImage.of(picture(16, 16)).withMask(mask(16, 16)));
            case UPSCALER -> request.withGiven(GivenImage.of(picture(8, 8)));
            case REFINER -> request.withGiven(GivenImage.of(picture(16, 16)).withStrength(0.75));
        };
    }

    private byte[] draw(String plan, int devices, ImageRequest request) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(folder).devices(specs).plan(plan).open()) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }

    @ParameterizedTest
    @EnumSource(Family.class)
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame(Family family) {
        RandomModel.write(folder, family);
        ImageRequest request = request(family);
        byte[] alone = draw("sequential", 1, request);
        assertEquals(family == Family.UPSCALER ? 32 * 32 * 3 : 16 * 16 * 3, alone.length);
        assertArrayEquals(alone, draw("asyncdiff:warmup=" + STEPS, 2, request));
        assertArrayEquals(alone, draw("asyncdiff:stride=2,warmup=" + STEPS, 2, request));
        if (family == Family.LATENT_CONSISTENCY) {
            assertFalse(Arrays.equals(alone, draw("sequential", 1, request.withGuidance(5))), "it reads the guidance");
        } else {
            assertNotNull(draw("cfg-split", 2, request));
        }
        assertFalse(Arrays.equals(alone, draw("asyncdiff:warmup=1", 2, request)), "lag shows");
        assertFalse(Arrays.equals(alone, draw("asyncdiff:stride=2,warmup=1", 2, request)), "lag shows");
        assertFalse(Arrays.equals(alone, draw("sequential", 1, request.withSeed(8))), "the seed shows");
    }
}
