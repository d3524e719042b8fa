package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Families that make videos, from checkpoints with tiny random weights to frames. */
@Tag("slow")
@Timeout(240)
class VideoFamiliesTest {
    private static final int STEPS = 3;
    private static final VideoRequest TEXT = VideoRequest.of("a red star").withSteps(STEPS).withSeed(7).withGuidance(3)
        .withFrames(4).withSize(32, 48);
    private static final VideoRequest PICTURE = VideoRequest.of(FamiliesTest.picture(40, 30)).withSteps(STEPS)
        .withSeed(7).withGuidance(3).withFrames(4).withSize(32, 48);

    @TempDir
    private Path folder;

    private static VideoRequest request(ModelFamily family) {
        return family == ModelFamily.SVD ? PICTURE : TEXT;
    }

    private void write(ModelFamily family) {
        ModelTemplate.of(family, true).write(folder.resolve("model"));
    }

    private DiffusionPipeline open(String plan, int devices) {
        String[] specs = new String[devices];
        Arrays.fill(specs, "cpu:1");
        return DiffusionPipeline.of(folder.resolve("model")).devices(specs).plan(plan).open();
    }

    private List<Image> make(String plan, int devices, VideoRequest request) {
        try (DiffusionPipeline pipeline = open(plan, devices)) {
            return pipeline.submit(request).result().join().frames();
        }
    }

    @ParameterizedTest
    @EnumSource(value = ModelFamily.class, names = {"SVD", "ANIMATEDIFF"})
    void everyPlanMakesFramesAndThoseWithSlip0TheSame(ModelFamily family) {
        write(family);
        VideoRequest request = request(family);
        List<Image> alone = make("sequential", 1, request);
        assertEquals(List.of("32x48", "32x48", "32x48", "32x48"), alone.stream().map(Image::toString).toList());
        assertEquals(4, Set.copyOf(alone).size(), "frames differ");
        assertEquals(alone, make("cfg-split", 2, request));
        for (String settings : List.of("n=2", "n=3", "n=2,stride=2", "n=3,stride=2")) {
            int devices = settings.startsWith("n=3") ? 3 : 2;
            assertEquals(alone, make("asyncdiff:" + settings + ",warmup=" + STEPS, devices, request), settings);
            assertNotEquals(alone, make("asyncdiff:" + settings + ",warmup=1", devices, request), "lag shows");
        }
    }

    private void assertAllMatter(VideoRequest plain, List<UnaryOperator<VideoRequest>> changes) {
        try (DiffusionPipeline pipeline = open("sequential", 1)) {
            List<List<Image>> videos = Stream.concat(Stream.of(plain), changes.stream().map(it -> it.apply(plain)))
                .map(request -> pipeline.submit(request).result().join().frames()).toList();
            for (int i = 0; i < videos.size(); i++) {
                assertEquals(i, videos.indexOf(videos.get(i)), "change " + i + " shows");
            }
            assertEquals(videos.getFirst(), pipeline.submit(plain).result().join().frames());
        }
    }

    @Test
    void aVideoOfAPictureDependsOnAllThatIsSaid() {
        write(ModelFamily.SVD);
        assertAllMatter(PICTURE, List.of(it -> it.withPicture(FamiliesTest.mask(40, 30)), it -> it.withFrames(3),
            it -> it.withFramesPerSecond(20), it -> it.withMotionBucket(20), it -> it.withNoiseAugmentation(0.5),
            it -> it.withGuidance(6), it -> it.withFirstGuidance(2), it -> it.withDecodeChunk(3), it -> it.withSeed(8),
            it -> it.withSize(48, 32), it -> it.withSteps(4), it -> it.withGuidance(1),
            it -> it.withScheduler("euler-ancestral")));
    }

    @Test
    void aVideoOfATextDependsOnAllThatIsSaid() {
        write(ModelFamily.ANIMATEDIFF);
        assertAllMatter(TEXT, List.of(it -> it.withNegative("blue"), it -> it.withFrames(3), it -> it.withGuidance(6),
            it -> it.withSeed(8), it -> it.withSize(48, 32), it -> it.withSteps(4), it -> it.withGuidance(1),
            it -> it.withConditioning(Conditioning.DEFAULT.withClipSkip(1)), it -> it.withScheduler("euler")));
    }

    @Test
    void whatIsNotSaidIsTheModelsOwn() {
        write(ModelFamily.SVD_XT);
        try (DiffusionPipeline pipeline = open("sequential", 1)) {
            GeneratedVideo video = pipeline.submit(VideoRequest.of(FamiliesTest.picture(9, 5)).withSteps(1)).result()
                .join();
            assertEquals(5, video.frames().size());
            assertEquals(7, video.framesPerSecond());
            assertEquals("64x64", video.frames().getFirst().toString());
            assertTrue(video.metadata().get("parameters").contains("Frames: 5, FPS: 7"), video.metadata().toString());
            assertEquals(video.frames(), pipeline.submit(video.request()).result().join().frames());
        }
    }

    private static void assertRefused(PipelineSpec spec, VideoRequest request, String words) {
        String message = assertThrows(RequestException.class, () -> spec.check(request)).getMessage();
        assertTrue(message.contains(words), message);
    }

    @Test
    void whatAModelOfPicturesCannotMakeIsRefusedInWords() {
        write(ModelFamily.SVD);
        try (PipelineSpec spec = DiffusionPipeline.of(folder.resolve("model")).devices("cpu:1").spec()) {
            assertRefused(spec, TEXT, "makes a video of a picture; give one");
            assertRefused(spec, VideoRequest.of("x").withPicture(FamiliesTest.picture(8, 8)), "reads no text");
            assertRefused(spec, PICTURE.withSize(33, 32), "must be a multiple of");
            assertTrue(assertThrows(RequestException.class, () -> spec.check(ImageRequest.of("a star"))).getMessage()
                .contains("makes videos, not pictures"));
        }
    }

    @Test
    void whatAModelOfTextsCannotMakeIsRefusedInWords() {
        write(ModelFamily.ANIMATEDIFF);
        try (PipelineSpec spec = DiffusionPipeline.of(folder.resolve("model")).devices("cpu:1").spec()) {
            assertRefused(spec, TEXT.withFrames(33), "know 32 frames, not 33");
            assertRefused(spec, PICTURE, "leave out the picture");
            assertRefused(spec, TEXT.withMotionBucket(1), "told nothing of motion");
            assertRefused(spec, TEXT.withFirstGuidance(1), "the same for all frames");
            assertRefused(spec, TEXT.withDecodeChunk(2), "decodes each frame by itself");
            assertEquals(16, spec.completed(VideoRequest.of("a star")).frames().orElseThrow());
        }
    }

    @Test
    void aModelOfVideosHasNoRefinerAndIsNone() {
        write(ModelFamily.ANIMATEDIFF);
        ModelTemplate.of(ModelFamily.SD15, true).write(folder.resolve("pictures"));
        List<Path> models = List.of(folder.resolve("model"), folder.resolve("pictures"));
        for (List<Path> pair : List.of(models, models.reversed())) {
            String message = assertThrows(ModelException.class, () -> DiffusionPipeline.of(pair.getFirst())
                .refiner(pair.getLast()).devices("cpu:1").spec().close()).getMessage();
            assertTrue(message.endsWith("models of videos neither have a refiner nor are one"), message);
        }
    }

    @Test
    void aModelOfPicturesMakesNoVideo() {
        write(ModelFamily.SD15);
        try (PipelineSpec spec = DiffusionPipeline.of(folder.resolve("model")).devices("cpu:1").spec()) {
            assertRefused(spec, TEXT, "draws pictures, not videos");
        }
    }
}
