package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.SlipstreamException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Families whose denoiser is a transformer, from checkpoints with tiny random weights to pictures. */
@Tag("slow")
@Timeout(240)
class TransformerFamiliesTest {
    private static final int STEPS = 3;
    private static final ImageRequest STAR =
        ImageRequest.of("a red star").withSteps(STEPS).withSeed(7).withGuidance(3).withSize(32, 48);

    @TempDir
    private Path folder;

    private void write(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder.resolve("model"));
    }

    private DiffusionPipeline open(String plan, int devices) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        return DiffusionPipeline.of(folder.resolve("model")).devices(specs).plan(plan).open();
    }

    private byte[] draw(String plan, int devices, ImageRequest request) {
        try (DiffusionPipeline pipeline = open(plan, devices)) {
            return pipeline.submit(request).result().join().image().rgb();
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD3_MEDIUM", "SD35_MEDIUM", "FLUX_DEV", "FLUX_SCHNELL"})
    void everyPlanDrawsAndThoseWithSlip0DrawTheSame(ModelFamily family) {
        write(family);
        byte[] alone = draw("sequential", 1, STAR);
        assertEquals(32 * 48 * 3, alone.length);
        assertArrayEquals(alone, draw("asyncdiff:n=2,warmup=" + STEPS, 2, STAR));
        assertArrayEquals(alone, draw("asyncdiff:n=3,warmup=" + STEPS, 3, STAR));
        assertFalse(Arrays.equals(alone, draw("asyncdiff:n=2,warmup=1", 2, STAR)), "lag shows");
        assertFalse(Arrays.equals(alone, draw("asyncdiff:n=2,stride=2,warmup=1", 2, STAR)), "lag shows");
        if (family == ModelFamily.SD3_MEDIUM || family == ModelFamily.SD35_MEDIUM) {
            assertArrayEquals(alone, draw("cfg-split", 2, STAR));
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SD3_MEDIUM", "FLUX_DEV", "FLUX_SCHNELL"})
    void theyReadPromptGuidanceSeedAndPicture(ModelFamily family) {
        write(family);
        GivenImage given = GivenImage.of(FamiliesTest.picture(32, 48)).withStrength(0.7);
        List<ImageRequest> requests = Stream.of(STAR, STAR.withGuidance(5), STAR.withSeed(8), STAR.withGiven(given),
            STAR.withGiven(given.withMask(FamiliesTest.mask(32, 48))), ImageRequest.of("a green circle")
                .withSteps(STEPS).withSeed(7).withGuidance(3).withSize(32, 48)).toList();
        try (DiffusionPipeline pipeline = open("sequential", 1)) {
            List<String> pictures = requests.stream().map(request ->
                Arrays.toString(pipeline.submit(request).result().join().image().rgb())).toList();
            // schnell has no guidance.
            assertEquals(requests.size() - (family == ModelFamily.FLUX_SCHNELL ? 1 : 0),
                pictures.stream().distinct().count());
            byte[] kept = pipeline.submit(requests.get(4)).result().join().image().rgb();
            byte[] free = pipeline.submit(requests.get(3)).result().join().image().rgb();
            assertFalse(Arrays.equals(kept, free));
        }
    }

    @Test
    void stableDiffusion3DrawsWithoutItsLargestTextEncoder() throws IOException {
        write(ModelFamily.SD3_MEDIUM);
        byte[] whole = draw("sequential", 1, STAR);
        Files.move(folder.resolve("model/text_encoder_3"), folder.resolve("elsewhere"));
        byte[] without = draw("sequential", 1, STAR);
        assertEquals(whole.length, without.length);
        assertFalse(Arrays.equals(whole, without), "the T5 was read before");
    }

    @Test
    void whatTheyCannotDrawIsRefusedInWords() {
        write(ModelFamily.SD3_MEDIUM);
        try (PipelineSpec spec = DiffusionPipeline.of(folder.resolve("model")).devices("cpu:1").spec()) {
            assertRefused(spec, STAR.withSize(24, 32), "must be a multiple of 16 pixels");
            assertRefused(spec, STAR.withSize(512, 32), "sides of at most 256 pixels");
            assertRefused(spec, ImageRequest.of("star ".repeat(400)).withConditioning(
                Conditioning.DEFAULT.withWholePrompts(true)), "does not read long prompts whole");
        }
    }

    private static void assertRefused(PipelineSpec spec, ImageRequest request, String words) {
        SlipstreamException refused = assertThrows(RequestException.class, () -> spec.check(request));
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }
}
