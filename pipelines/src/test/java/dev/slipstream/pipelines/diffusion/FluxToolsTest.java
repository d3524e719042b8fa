package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.init.ModelFamily;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** FLUX.1 fill, canny and depth, which take pictures beside the latents, with tiny random weights. */
@Tag("slow")
@Timeout(240)
class FluxToolsTest {
    private static final int STEPS = 3;
    private static final Image PICTURE = FamiliesTest.picture(32, 48);
    private static final ImageRequest STAR = ImageRequest.of("a red star").withSteps(STEPS).withSeed(7)
        .withGiven(GivenImage.of(PICTURE).withMask(FamiliesTest.mask(32, 48)));

    @TempDir
    private Path folder;
    private TinyFamily model;

    @BeforeEach
    void setUp() {
        model = new TinyFamily(folder.resolve("model"));
    }

    private static ImageRequest request(ModelFamily family) {
        return family == ModelFamily.FLUX_FILL ? STAR : STAR.withGiven(GivenImage.of(PICTURE));
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"FLUX_FILL", "FLUX_CONTROL"})
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame(ModelFamily family) {
        model.write(family);
        ImageRequest request = request(family);
        byte[] alone = model.draw("sequential", 1, request);
        assertEquals(32 * 48 * 3, alone.length);
        for (String plan : List.of("asyncdiff:n=2", "asyncdiff:n=2,stride=2")) {
            assertArrayEquals(alone, model.draw(plan + ",warmup=" + STEPS, 2, request), plan);
            assertFalse(Arrays.equals(alone, model.draw(plan + ",warmup=1", 2, request)), plan + ": lag shows");
        }
    }

    @Test
    void theControlledModelReadsPromptGuidanceSeedAndEveryPixel() {
        model.write(ModelFamily.FLUX_CONTROL);
        ImageRequest edges = request(ModelFamily.FLUX_CONTROL);
        List<ImageRequest> requests = List.of(edges, edges.withGuidance(30), edges.withSeed(8),
            edges.withGiven(GivenImage.of(pixel(PICTURE, 30, 5))), edges.withSize(48, 32),
            ImageRequest.of("a house").withSteps(STEPS).withSeed(7).withGiven(edges.given().orElseThrow()));
        assertEquals(requests.size(), model.drawAll(requests).stream().distinct().count());
        try (DiffusionPipeline pipeline = model.open("sequential", 1)) {
            List<GeneratedImage> both = pipeline.submit(edges.withBatch(2)).results().join();
            assertEquals(STEPS, both.getFirst().steps(), "all steps are taken");
            assertFalse(Arrays.equals(both.get(0).image().rgb(), both.get(1).image().rgb()));
        }
    }

    @Test
    void theControlledModelNeedsAPictureAndNoMore() {
        model.write(ModelFamily.FLUX_CONTROL);
        model.assertRefused(ImageRequest.of("a red star"), "draws along a picture of edges or depths; give one");
        model.assertRefused(STAR, "leave out mask and strength");
        model.assertRefused(STAR.withGiven(GivenImage.of(PICTURE).withStrength(0.5)), "leave out mask and strength");
    }

    @Test
    void itReadsPromptGuidanceSeedPictureMaskAndStrength() {
        model.write(ModelFamily.FLUX_FILL);
        Image oneMore = pixel(FamiliesTest.mask(32, 48), 3, 5);
        List<ImageRequest> requests = List.of(STAR, STAR.withGuidance(3), STAR.withSeed(8),
            STAR.withGiven(GivenImage.of(PICTURE).withMask(oneMore)),
            STAR.withGiven(GivenImage.of(pixel(PICTURE, 3, 5)).withMask(FamiliesTest.mask(32, 48))),
            STAR.withGiven(GivenImage.of(PICTURE).withMask(FamiliesTest.mask(32, 48)).withStrength(0.7)),
            ImageRequest.of("a house").withSteps(STEPS).withSeed(7).withGiven(STAR.given().orElseThrow()));
        assertEquals(requests.size(), model.drawAll(requests).stream().distinct().count());
    }

    /** What the mask leaves to be drawn is not looked at. */
    @Test
    void whatIsDrawnAnewDoesNotMatter() {
        model.write(ModelFamily.FLUX_FILL);
        List<String> pictures = model.drawAll(List.of(STAR,
            STAR.withGiven(GivenImage.of(pixel(PICTURE, 30, 5)).withMask(FamiliesTest.mask(32, 48)))));
        assertEquals(pictures.getFirst(), pictures.getLast());
    }

    /** The same picture but for a white pixel. */
    private static Image pixel(Image picture, int column, int row) {
        byte[] rgb = picture.rgb();
        Arrays.fill(rgb, 3 * (row * picture.width() + column), 3 * (row * picture.width() + column) + 3, (byte) 255);
        return Image.of(picture.width(), picture.height(), rgb);
    }

    @Test
    void withoutAMaskItIsRefused() {
        model.write(ModelFamily.FLUX_FILL);
        model.assertRefused(ImageRequest.of("a red star"), "this model repaints part of a picture");
        model.assertRefused(STAR.withGiven(GivenImage.of(PICTURE)), "give a picture and a mask");
    }
}
