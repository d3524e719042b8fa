package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.tokenizer.SentencePieceModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** PixArt-Alpha and Sigma, from checkpoints with tiny random weights to pictures. */
@Tag("slow")
@Timeout(240)
class PixArtTest {
    private static final int STEPS = 3;
    private static final ImageRequest STAR =
        ImageRequest.of("a red star").withSteps(STEPS).withSeed(7).withGuidance(3).withSize(32, 48);

    @TempDir
    private Path folder;
    private TinyFamily model;

    @BeforeEach
    void setUp() {
        model = new TinyFamily(folder.resolve("model"));
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"PIXART_ALPHA", "PIXART_SIGMA"})
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame(ModelFamily family) {
        model.write(family);
        byte[] alone = model.draw("sequential", 1, STAR);
        assertEquals(32 * 48 * 3, alone.length);
        assertArrayEquals(alone, model.draw("cfg-split", 2, STAR));
        for (String plan : List.of("asyncdiff:n=2", "asyncdiff:n=2,stride=2", "asyncdiff:n=3")) {
            int devices = plan.contains("n=3") ? 3 : 2;
            assertArrayEquals(alone, model.draw(plan + ",warmup=" + STEPS, devices, STAR), plan);
            assertFalse(Arrays.equals(alone, model.draw(plan + ",warmup=1", devices, STAR)), plan + ": lag shows");
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"PIXART_ALPHA", "PIXART_SIGMA"})
    void theyReadPromptsGuidanceSeedAndPicture(ModelFamily family) {
        model.write(family);
        GivenImage given = GivenImage.of(FamiliesTest.picture(32, 48)).withStrength(0.7);
        List<ImageRequest> requests = new ArrayList<>(List.of(STAR, STAR.withGuidance(5), STAR.withSeed(8),
            STAR.withNegative("green"), STAR.withGiven(given), STAR.withGuidance(1),
            STAR.withGiven(given.withMask(FamiliesTest.mask(32, 48))), STAR.withSize(48, 32),
            ImageRequest.of("a green circle").withSteps(STEPS).withSeed(7).withGuidance(3).withSize(32, 48)));
        List<String> pictures = model.drawAll(requests);
        assertEquals(requests.size(), pictures.stream().distinct().count());
    }

    @Test
    void lettersMayBeSmallOrCapital() {
        model.write(ModelFamily.PIXART_SIGMA);
        ImageRequest loud = ImageRequest.of("  A Red STAR ").withSteps(STEPS).withSeed(7).withGuidance(3)
            .withSize(32, 48);
        List<String> pictures = model.drawAll(List.of(STAR.withNegative("green"), loud.withNegative("GREEN ")));
        assertEquals(pictures.getFirst(), pictures.getLast());
    }

    /** Neither T5 nor denoiser read what fills a prompt up, so that it does not matter how much that is. */
    @Test
    void tokensThatFillUpAreNotRead() throws IOException {
        model.write(ModelFamily.PIXART_SIGMA);
        byte[] of300 = model.draw("sequential", 1, STAR);
        model.replace("model_index.json", "PixArtSigmaPipeline", "PixArtAlphaPipeline");
        byte[] of120 = model.draw("sequential", 1, STAR);
        int farthest = 0;
        for (int i = 0; i < of300.length; i++) {
            farthest = Math.max(farthest, Math.abs((of300[i] & 0xFF) - (of120[i] & 0xFF)));
        }
        assertTrue(farthest <= 1, "differ by " + farthest);
    }

    @Test
    void theLimitOfAPromptIsThatOfThePipeline() throws IOException {
        model.write(ModelFamily.PIXART_ALPHA);
        ImageRequest words = ImageRequest.of("star ".repeat(200)).withSize(32, 32);
        try (PipelineSpec spec = model.spec()) {
            assertTrue(spec.warnings(words).getFirst().startsWith("prompt too long: 201 tokens, 120 fit"),
                spec.warnings(words)::toString);
        }
        model.replace("model_index.json", "PixArtAlphaPipeline", "PixArtSigmaPipeline");
        try (PipelineSpec spec = model.spec()) {
            assertEquals(List.of(), spec.warnings(words));
        }
    }

    /** Released files call the transformer by the name of an older class, and leave sizes to what is usual. */
    @Test
    void releasedFilesAreRead() throws IOException {
        model.write(ModelFamily.PIXART_ALPHA);
        byte[] named = model.draw("sequential", 1, STAR);
        for (String file : List.of("model_index.json", "transformer/config.json")) {
            model.replace(file, "PixArtTransformer2DModel", "Transformer2DModel");
        }
        assertArrayEquals(named, model.draw("sequential", 1, STAR));
    }

    /** A model that was taught 256x256 pixels knows 33 proportions, in one of which it draws. */
    @Test
    void anySizeIsDrawnInTheMostAlikeProportionsAndCut() throws IOException {
        model.write(ModelFamily.PIXART_ALPHA);
        model.replace("transformer/config.json", "\"sample_size\": 8", "\"sample_size\": 32");
        ImageRequest odd = STAR.withSteps(2).withSize(251, 133);
        try (DiffusionPipeline pipeline = model.open("sequential", 1)) {
            assertEquals(List.of(251, 133), size(pipeline, odd));
            ImageRequest completed = pipeline.spec().completed(odd);
            assertEquals(251, completed.width().orElseThrow());
            assertEquals(List.of(256, 256), size(pipeline, ImageRequest.of("star").withSteps(1)));
            GeneratedImage drawn = pipeline.submit(odd.withPreviewEvery(1)).onProgress(progress ->
                progress.previews().forEach(preview -> assertEquals("251x133", preview.toString()))).thenCompose(
                    done -> pipeline.submit(odd).result()).join();
            assertTrue(drawn.metadata().get("parameters").contains("Size: 251x133"), drawn.metadata()::toString);
            Image wide = pipeline.submit(STAR.withSteps(2).withSize(352, 176)).result().join().image();
            Image same = pipeline.submit(STAR.withSteps(2).withSize(176, 88)).result().join().image();
            assertEquals(wide.scaledTo(176, 88), same, "it is drawn in the same size");
        }
    }

    private static List<Integer> size(DiffusionPipeline pipeline, ImageRequest request) {
        Image image = pipeline.submit(request).result().join().image();
        return List.of(image.width(), image.height());
    }

    @Test
    void aTokenizerMayBeASentencePieceModel() throws IOException {
        model.write(ModelFamily.PIXART_SIGMA);
        Path tokenizer = folder.resolve("model/tokenizer");
        Files.write(tokenizer.resolve("spiece.model"), SentencePieceModels.of(tokenizer.resolve("tokenizer.json")));
        byte[] whole = model.draw("sequential", 1, STAR);
        Files.delete(tokenizer.resolve("tokenizer.json"));
        assertArrayEquals(whole, model.draw("sequential", 1, STAR));
    }

    @Test
    void whatTheyCannotDrawIsRefusedInWords() {
        model.write(ModelFamily.PIXART_ALPHA);
        model.assertRefused(STAR.withSize(24, 32), "must be a multiple of 16 pixels");
        model.assertRefused(STAR.withConditioning(Conditioning.DEFAULT.withClipSkip(1)), "this model has a T5");
        model.assertRefused(STAR.withConditioning(Conditioning.DEFAULT.withCrop(1, 1)), "are for SDXL");
        model.assertRefused(STAR.withConditioning(Conditioning.DEFAULT.withClassLabel("207")),
            "a class is for models that were taught classes");
        model.assertRefused(ImageRequest.of("star ".repeat(400)).withConditioning(
            Conditioning.DEFAULT.withWholePrompts(true)), "does not read long prompts whole");
    }
}
