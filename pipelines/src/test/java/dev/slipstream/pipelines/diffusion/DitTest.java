package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.model.init.ModelFamily;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** DiT, which draws classes, from checkpoints with tiny random weights to pictures. */
@Tag("slow")
@Timeout(240)
class DitTest {
    private static final int STEPS = 3;
    private static final ImageRequest RETRIEVER = ImageRequest.ofClass(207).withSteps(STEPS).withSeed(7);

    @TempDir
    private Path folder;
    private TinyFamily model;

    @BeforeEach
    void write() {
        model = new TinyFamily(folder.resolve("model"));
        model.write(ModelFamily.DIT);
    }

    private static ImageRequest prompt(String text) {
        return ImageRequest.of(text).withSteps(STEPS).withSeed(7);
    }

    @Test
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame() {
        byte[] alone = model.draw("sequential", 1, RETRIEVER);
        assertEquals(64 * 64 * 3, alone.length);
        assertArrayEquals(alone, model.draw("cfg-split", 2, RETRIEVER));
        for (String plan : List.of("asyncdiff:n=2", "asyncdiff:n=2,stride=2", "asyncdiff:n=3")) {
            int devices = plan.contains("n=3") ? 3 : 2;
            assertArrayEquals(alone, model.draw(plan + ",warmup=" + STEPS, devices, RETRIEVER), plan);
            assertFalse(Arrays.equals(alone, model.draw(plan + ",warmup=1", devices, RETRIEVER)),
                plan + ": lag shows");
        }
    }

    @Test
    void aClassIsSaidByNumberOrNameOrAsThePrompt() {
        List<String> same = model.drawAll(List.of(RETRIEVER, prompt("207"), prompt("Golden retriever"),
            ImageRequest.ofClass("golden retriever").withSteps(STEPS).withSeed(7)));
        assertEquals(1, same.stream().distinct().count());
    }

    @Test
    void itReadsClassGuidanceSeedPictureAndSize() {
        GivenImage given = GivenImage.of(FamiliesTest.picture(64, 64)).withStrength(0.7);
        List<ImageRequest> requests = List.of(RETRIEVER, prompt("tench"), RETRIEVER.withGuidance(2),
            RETRIEVER.withGuidance(1), RETRIEVER.withSeed(8), RETRIEVER.withGiven(given), RETRIEVER.withSize(32, 32),
            RETRIEVER.withGiven(given.withMask(FamiliesTest.mask(64, 64))), prompt(""));
        assertEquals(requests.size(), model.drawAll(requests).stream().distinct().count());
    }

    /** Released files call the transformer by the name of an older class. */
    @Test
    void releasedFilesAreRead() throws IOException {
        byte[] named = model.draw("sequential", 1, RETRIEVER);
        for (String file : List.of("model_index.json", "transformer/config.json")) {
            model.replace(file, "DiTTransformer2DModel", "Transformer2DModel");
        }
        assertArrayEquals(named, model.draw("sequential", 1, RETRIEVER));
    }

    @Test
    void withoutAClassGuidanceIsOfNoUse() {
        List<String> pictures = model.drawAll(List.of(prompt("").withGuidance(2), prompt("").withGuidance(8)));
        assertEquals(pictures.getFirst(), pictures.getLast());
    }

    @Test
    void theClassIsSaidInThePicture() {
        try (DiffusionPipeline pipeline = model.open("sequential", 1)) {
            List<GeneratedImage> pictures =
                pipeline.submit(ImageRequest.ofClass("tench").withSteps(1).withSeed(1).withBatch(2)).results().join();
            assertEquals(2, pictures.size());
            assertTrue(pictures.getFirst().metadata().get("parameters").contains("Class: tench"));
            assertFalse(Arrays.equals(pictures.get(0).image().rgb(), pictures.get(1).image().rgb()));
        }
    }

    @Test
    void whatItCannotDrawIsRefusedInWords() {
        model.assertRefused(prompt("a red star"), "there is no class \"a red star\"; say a number from 0 to 999");
        model.assertRefused(prompt("crane"), "several classes are called \"crane\": 134, 517");
        model.assertRefused(RETRIEVER.withSize(32, 48), "this model draws squares");
        model.assertRefused(RETRIEVER.withSize(40, 40), "must be a multiple of 16 pixels");
        model.assertRefused(RETRIEVER.withNegative("cats"), "leave out the negative prompt");
        model.assertRefused(prompt("tench").withConditioning(Conditioning.DEFAULT.withClassLabel("1")),
            "there are a prompt and a class");
        model.assertRefused(prompt("tench").withConditioning(Conditioning.DEFAULT.withWeights(true)),
            "this model reads no text");
    }
}
