package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Pictures to start from, to repaint and to enlarge. */
@Timeout(120)
class GivenImageTest {
    private static final ImageRequest STAR = FamiliesTest.request(Family.STABLE_DIFFUSION);
    private static final Image PICTURE = FamiliesTest.picture(16, 16);
    private static final Image HALF = FamiliesTest.mask(16, 16);

    @TempDir
    private Path folder;

    private DiffusionPipeline open(Family family, String plan, String... devices) {
        RandomModel.write(folder, family);
        return DiffusionPipeline.of(folder).devices(devices).plan(plan).open();
    }

    private static byte[] draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join().image().rgb();
    }

    private static Image flat(int level) {
        byte[] pixels = new byte[16 * 16 * 3];
        Arrays.fill(pixels, (byte) level);
        return Image.of(16, 16, pixels);
    }

    private static GivenImage given(Image mask) {
        return GivenImage.of(PICTURE).withMask(mask);
    }

    @Test
    void strengthSaysHowManyOfTheStepsAreTaken() {
        RandomModel.write(folder, Family.STABLE_DIFFUSION);
        try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
            ImageRequest request = STAR.withSteps(10);
            GivenImage picture = GivenImage.of(PICTURE);
            assertEquals(8, spec.noise(request.withGiven(picture)).steps());
            assertEquals(3, spec.noise(request.withGiven(picture.withStrength(0.3))).steps());
            assertEquals(10, spec.noise(request.withGiven(picture.withMask(HALF))).steps());
            String message = assertThrows(RequestException.class,
                () -> spec.check(request.withGiven(picture.withStrength(0.05)))).getMessage();
            assertTrue(message.contains("less than one step"), message);
        }
    }

    @Test
    void whereTheMaskIsBlackThePictureStaysWhateverIsDrawn() {
        try (DiffusionPipeline pipeline =
                 open(Family.STABLE_DIFFUSION, "asyncdiff:warmup=1", "cpu:1", "cpu:1")) {
            for (String scheduler : List.of("ddim", "euler-ancestral", "dpm++2m", "pndm", "lcm")) {
                ImageRequest kept = STAR.withScheduler(scheduler).withGiven(given(flat(0)));
                byte[] one = draw(pipeline, kept);
                byte[] other = draw(pipeline, kept.withSteps(7).withGuidance(9).withNegative("a star"));
                assertNear(one, other, scheduler);
                byte[] drawn = draw(pipeline, STAR.withScheduler(scheduler).withGiven(given(HALF)));
                assertFalse(Arrays.equals(one, drawn), scheduler + " draws where the mask is white");
            }
        }
    }

    private static void assertNear(byte[] one, byte[] other, String what) {
        for (int i = 0; i < one.length; i++) {
            assertEquals(one[i] & 0xFF, other[i] & 0xFF, 1, what);
        }
    }

    @Test
    void whereTheMaskIsAllWhiteThePictureIsThatOfTheTextAlone() {
        try (DiffusionPipeline pipeline = open(Family.STABLE_DIFFUSION, "sequential", "cpu:1")) {
            assertArrayEquals(draw(pipeline, STAR), draw(pipeline, STAR.withGiven(given(flat(255)))));
            assertArrayEquals(draw(pipeline, STAR.withScheduler("euler-ancestral")),
                draw(pipeline, STAR.withScheduler("euler-ancestral").withGiven(given(flat(255)))));
        }
    }

    @Test
    void theLessStrengthTheNearerThePictureStays() {
        try (DiffusionPipeline pipeline = open(Family.STABLE_DIFFUSION, "sequential", "cpu:1")) {
            byte[] kept = draw(pipeline, STAR.withGiven(given(flat(0))));
            double last = 0;
            for (double strength : new double[] {0.05, 0.5, 1}) {
                byte[] drawn = draw(pipeline, STAR.withSteps(20)
                    .withGiven(GivenImage.of(PICTURE).withStrength(strength)));
                double distance = 0;
                for (int i = 0; i < drawn.length; i++) {
                    distance += Math.abs((drawn[i] & 0xFF) - (kept[i] & 0xFF));
                }
                assertTrue(distance > last, "strength " + strength + ": " + distance + " after " + last);
                last = distance;
            }
        }
    }

    @Test
    void anInpaintingModelSeesThePictureOnlyWhereTheMaskIsBlack() {
        try (DiffusionPipeline pipeline = open(Family.INPAINTING, "sequential", "cpu:1")) {
            byte[] pixels = PICTURE.rgb();
            byte[] right = PICTURE.rgb();
            byte[] left = PICTURE.rgb();
            right[15 * 3] ^= 0x55;
            left[0] ^= 0x55;
            byte[] drawn = draw(pipeline, repainted(pixels));
            assertArrayEquals(drawn, draw(pipeline, repainted(right)));
            assertFalse(Arrays.equals(drawn, draw(pipeline, repainted(left))));
            assertThrows(RequestException.class, () -> pipeline.spec().check(STAR));
        }
    }

    private static ImageRequest repainted(byte[] pixels) {
        return STAR.withGiven(GivenImage.of(Image.of(16, 16, pixels)).withMask(HALF));
    }

    @Test
    void anUpscalerEnlargesThePictureAndIsToldHowMuchItWasBlurred() {
        try (DiffusionPipeline pipeline = open(Family.UPSCALER, "sequential", "cpu:1")) {
            GivenImage small = GivenImage.of(FamiliesTest.picture(8, 8));
            byte[] drawn = draw(pipeline, STAR.withGiven(small));
            assertFalse(Arrays.equals(drawn, draw(pipeline, STAR.withGiven(small.withNoiseLevel(200)))));
            assertArrayEquals(drawn, draw(pipeline, STAR.withGiven(small.withNoiseLevel(20))));
            assertThrows(RequestException.class, () -> pipeline.spec().check(STAR));
            assertThrows(RequestException.class,
                () -> pipeline.spec().check(STAR.withGiven(small).withSize(64, 64)));
            assertThrows(RequestException.class,
                () -> pipeline.spec().check(STAR.withGiven(small.withNoiseLevel(351))));
        }
    }

    @Test
    void aPictureOfAnotherSizeIsScaledWhereASizeIsSaidAndElseRefused() {
        try (DiffusionPipeline pipeline = open(Family.STABLE_DIFFUSION, "sequential", "cpu:1")) {
            ImageRequest odd = STAR.withGiven(GivenImage.of(FamiliesTest.picture(21, 33)));
            assertEquals(32 * 16 * 3, draw(pipeline, odd.withSize(32, 16)).length);
            String message =
                assertThrows(RequestException.class, () -> pipeline.spec().check(odd)).getMessage();
            assertTrue(message.contains("say a size"), message);
        }
    }
}
