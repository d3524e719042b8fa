package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Previews of the sample model. */
@Timeout(120)
class PreviewTest {
    private static final Path MODEL = Path.of("..", "samples", "model");
    private static final ImageRequest STAR =
        ImageRequest.of("a large red star on a blue background").withSeed(7).withPreviewEvery(10);
    /** Of 255, in the mean over all pixels; the noisy latents of step 10 are several times as far away. */
    private static final double MOST_DISTANCE = 20;

    /** A picture and the previews that came before it, by steps done. */
    private record Drawing(Image result, Map<Integer, Image> previews) {
        double distance(int step) {
            byte[] here = previews.get(step).rgb();
            byte[] end = result.rgb();
            long sum = 0;
            for (int i = 0; i < end.length; i++) {
                sum += Math.abs((here[i] & 0xFF) - (end[i] & 0xFF));
            }
            return (double) sum / end.length;
        }
    }

    @BeforeAll
    static void theSampleModelIsThere() {
        assumeTrue(Files.isDirectory(MODEL), "the sample model is not there: " + MODEL);
    }

    private static DiffusionPipeline open() {
        return DiffusionPipeline.of(MODEL).devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=3").open();
    }

    private static Drawing draw(DiffusionPipeline pipeline, ImageRequest request)
        throws ExecutionException, InterruptedException, TimeoutException {
        // A request in front holds the pipeline's thread until the listener is there.
        pipeline.submit(request.withSteps(3));
        Generation generation = pipeline.submit(request);
        Map<Integer, Image> previews = new TreeMap<>();
        var heard = generation.onProgress(progress ->
            progress.preview().ifPresent(image -> previews.put(progress.step(), image)));
        Image result = generation.result().join().image();
        heard.get(60, TimeUnit.SECONDS);
        return new Drawing(result, previews);
    }

    /** Pixels that are not finite would fail the request ({@link Image#ofTensor}). */
    @ParameterizedTest
    @ValueSource(strings = {"ddim", "euler", "dpm++2m", "pndm", "lms"})
    void previewsLookLikeThePictureFromEarlyOnAndEverMoreSo(String scheduler) throws Exception {
        try (DiffusionPipeline pipeline = open()) {
            Drawing drawing = draw(pipeline, STAR.withScheduler(scheduler));
            assertTrue(drawing.distance(10) < MOST_DISTANCE, "at step 10: " + drawing.distance(10));
            assertTrue(drawing.distance(40) < drawing.distance(10) / 2, "at step 40: " + drawing.distance(40));
        }
    }

    @Test
    void previewsComeBeforeTheResultAndDoNotChangeIt() throws Exception {
        try (DiffusionPipeline pipeline = open()) {
            Drawing drawing = draw(pipeline, STAR);
            assertEquals(Set.of(10, 20, 30, 40), drawing.previews().keySet());
            Image without = pipeline.submit(STAR.withPreviewEvery(0)).result().join().image();
            assertArrayEquals(without.rgb(), drawing.result().rgb());
        }
    }
}
