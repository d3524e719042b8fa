package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.cache.Answer.Reason;
import dev.slipstream.pipelines.cache.HalfTensor;
import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds;
import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.component.RequestEngines;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport.Source;
import dev.slipstream.pipelines.diffusion.reuse.CacheReport;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.program.Program;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that go on from the latents of others. */
class ReuseTest {
    private static final int STEPS = 10;
    private static final ImageRequest FIRST = ImageRequest.of("red star").withSteps(STEPS).withSeed(1)
        .withCache(CacheUse.WRITE);
    /** Of the same prompt, so that the words are the same whatever the tokenizer knows. */
    private static final ImageRequest SECOND = FIRST.withSeed(2).withCache(CacheUse.READ.withOtherSeeds());
    private static final Thresholds HALF = new Thresholds(List.of(new Level(0.9, 0, 0.5)));
    private static final int HALFWAY = STEPS / 2;
    private static final Thresholds LATER = new Thresholds(List.of(), List.of(new Level(0.9, 0, 0.7)));
    private static final int LATE = 7;

    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void writeModel() {
        model = folder.resolve("model");
        RandomModel.write(model, Family.STABLE_DIFFUSION);
    }

    private LatentCache cache() {
        return new LatentCache(folder.resolve("latents"), LatentCache.DEFAULT_MAX_BYTES);
    }

    private DiffusionPipeline pipeline(String plan, Thresholds thresholds) {
        return DiffusionPipeline.of(model).devices(devices(plan)).plan(plan).latentCache(folder.resolve("latents"),
            LatentCache.DEFAULT_MAX_BYTES, Optional.of(thresholds)).open();
    }

    private static String[] devices(String plan) {
        return plan.matches("cfg-split|asyncdiff.*") ? new String[] {"cpu:1", "cpu:1"} : new String[] {"cpu:1"};
    }

    private static GeneratedImage draw(DiffusionPipeline pipeline, ImageRequest request) {
        return pipeline.submit(request).result().join();
    }

    /** What a loop of its own makes that begins with latents of the first request, as they are kept. */
    private Image begunAnew(String plan, ImageRequest first, ImageRequest second) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices(devices(plan)).plan(plan).open();
             EngineCache engines = new EngineCache(pipeline.devices(), LoopOptions.DEFAULT, OptionalLong.empty());
             Arena arena = Arena.ofShared()) {
            ResolvedRequest whole = pipeline.spec().resolve(first).getFirst();
            MemorySegment latents = arena.allocate(whole.latents().bytes(), 64);
            RequestEngines built = build(engines, whole.keys().keeping(KeptLatents.ALL));
            DenoisingPass pass = new DenoisingPass(whole, built, arena);
            run(pass, latents, built);
            pass.latents(whole.rowsBefore(HALFWAY) - 1, latents);
            HalfTensor.of(whole.latents().shape(), latents).copyTo(latents);
            ResolvedRequest rest = pipeline.spec().resolve(second).getFirst().from(HALFWAY, false);
            built = build(engines, rest.keys());
            pass = new DenoisingPass(rest, built, arena);
            MemorySegment.copy(latents, 0, pass.given().get(Program.LATENTS), 0, latents.byteSize());
            run(pass, latents, built);
            return built.decoder().orElseThrow().decode(latents, rest.latents().shape()).getFirst();
        }
    }

    private static RequestEngines build(EngineCache engines, RequestKeys keys) {
        return engines.build(List.of(keys), () -> {
        }).getFirst();
    }

    private static void run(DenoisingPass pass, MemorySegment latents, RequestEngines built) {
        pass.run(latents, pass.steps(), new RunningRequest<>(Callbacks.onOwnThreads(), () -> {
        }),
            built.decoder().orElseThrow());
    }

    @ParameterizedTest
    @ValueSource(strings = {"cfg-split", "asyncdiff:warmup=1", "sequential euler-ancestral", "sequential heun",
        "sequential dpm++2m", "cache:every=2,warmup=1 pndm"})
    void whatGoesOnFromAnotherIsWhatAFreshLoopMakesOfItsLatents(String planAndScheduler) {
        String plan = planAndScheduler.split(" ")[0];
        String scheduler = planAndScheduler.contains(" ") ? planAndScheduler.split(" ")[1] : "ddim";
        ImageRequest first = FIRST.withScheduler(scheduler);
        ImageRequest second = SECOND.withScheduler(scheduler);
        try (LatentCache cache = cache()) {
            try (DiffusionPipeline pipeline = pipeline(plan, HALF)) {
                assertEquals(CacheReport.NONE, draw(pipeline, first).cache());
            }
            try (DiffusionPipeline pipeline = pipeline(plan, HALF)) {
                GeneratedImage drawn = draw(pipeline, second);
                Source source = drawn.cache().source().orElseThrow();
                assertEquals(HALFWAY, source.step());
                assertEquals(cache.list().getFirst().id(), source.entry());
                assertArrayEquals(begunAnew(plan, first, second).rgb(), drawn.image().rgb());
                assertTrue(drawn.metadata().get("parameters").contains("Cache: " + source.entry() + " from step 5"));
                assertTrue(drawn.steps() < draw(pipeline, second.withCache(CacheUse.OFF)).steps());
            }
        }
    }

    /** What image to image makes of the finished latents of the first request, as they are kept. */
    private Image imageToImage(String plan, ImageRequest first, ImageRequest second) {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices(devices(plan)).plan(plan).open();
             EngineCache engines = new EngineCache(pipeline.devices(), LoopOptions.DEFAULT, OptionalLong.empty());
             Arena arena = Arena.ofShared()) {
            ResolvedRequest whole = pipeline.spec().resolve(first).getFirst();
            MemorySegment latents = arena.allocate(whole.latents().bytes(), 64);
            RequestEngines built = build(engines, whole.keys());
            run(new DenoisingPass(whole, built, arena), latents, built);
            HalfTensor finished = HalfTensor.of(whole.latents().shape(), latents);
            Image any = Image.of(whole.width(), whole.height(), new byte[3 * whole.width() * whole.height()]);
            ResolvedRequest onto = pipeline.spec().resolve(second.withGiven(GivenImage.of(any)
                .withStrength((STEPS - LATE) / (double) STEPS))).getFirst();
            built = build(engines, onto.keys());
            DenoisingPass pass = new DenoisingPass(onto, built, arena);
            float[] noise = Noise.initialLatents(onto.seed()).draw(finished.size());
            for (int i = 0; i < noise.length; i++) {
                float fresh = (float) (noise[i] * onto.start().noise());
                pass.given().get(Program.LATENTS).setAtIndex(ValueLayout.JAVA_FLOAT, i,
                    (float) (fresh + onto.start().image() * finished.at(i)));
            }
            run(pass, latents, built);
            return built.decoder().orElseThrow().decode(latents, onto.latents().shape()).getFirst();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cfg-split", "asyncdiff:warmup=1", "sequential euler-ancestral", "sequential heun",
        "sequential dpm++2m", "cache:every=2,warmup=1 pndm"})
    void whatGoesOnFromAFinishedPictureIsWhatImageToImageMakesOfIt(String planAndScheduler) {
        String plan = planAndScheduler.split(" ")[0];
        String scheduler = planAndScheduler.contains(" ") ? planAndScheduler.split(" ")[1] : "ddim";
        ImageRequest first = FIRST.withScheduler(scheduler).withCache(CacheUse.WRITE.withPictures());
        ImageRequest second = SECOND.withScheduler(scheduler).withCache(SECOND.cache().withPictures());
        try (DiffusionPipeline pipeline = pipeline(plan, LATER)) {
            draw(pipeline, first);
        }
        try (DiffusionPipeline pipeline = pipeline(plan, LATER)) {
            GeneratedImage drawn = draw(pipeline, second);
            Source source = drawn.cache().source().orElseThrow();
            assertEquals(LATE, source.step());
            assertTrue(source.finished());
            assertArrayEquals(imageToImage(plan, first, second).rgb(), drawn.image().rgb());
            assertFalse(Arrays.equals(drawn.image().rgb(), draw(pipeline, second.withSeed(3)).image().rgb()),
                "another seed gives another picture");
            assertTrue(drawn.metadata().get("parameters").contains("finished, from step 7"));
            assertEquals(Optional.of(Reason.TOO_FAR.sentence()), draw(pipeline, second.withCache(SECOND.cache()))
                .cache().miss(), "who does not ask for pictures is not served one");
        }
    }

    @Test
    void theSamePromptWithAnotherSeedIsDrawnWholeUnlessAskedFor() {
        try (DiffusionPipeline pipeline = pipeline("sequential", HALF)) {
            draw(pipeline, FIRST);
        }
        try (DiffusionPipeline pipeline = pipeline("sequential", HALF)) {
            GeneratedImage other = draw(pipeline, SECOND.withCache(CacheUse.USE));
            assertEquals(Optional.of(Reason.OTHER_SEED.sentence()), other.cache().miss());
            assertArrayEquals(draw(pipeline, SECOND.withCache(CacheUse.OFF)).image().rgb(), other.image().rgb());
        }
    }

    @Test
    void whatDiffersInAnythingButThePromptIsDrawnWhole() {
        try (DiffusionPipeline pipeline = pipeline("sequential", HALF)) {
            draw(pipeline, FIRST);
        }
        try (DiffusionPipeline pipeline = pipeline("sequential", HALF)) {
            for (ImageRequest other : List.of(SECOND.withSteps(STEPS + 1), SECOND.withGuidance(3),
                SECOND.withNegative("blue"), SECOND.withScheduler("euler"), SECOND.withSize(24, 16),
                SECOND.withCache(SECOND.cache().in("others")))) {
                assertEquals(Optional.of(Reason.EMPTY.sentence()), draw(pipeline, other).cache().miss(),
                    other::toString);
            }
            assertFalse(draw(pipeline, SECOND).cache().source().isEmpty());
            assertEquals(Optional.of(Reason.UNSUITED.sentence()),
                draw(pipeline, SECOND.withBatch(2)).cache().miss());
        }
    }

    @Test
    void howMuchAlikePromptsMustBeIsReadBesideTheModel() throws IOException {
        try (DiffusionPipeline pipeline = pipeline("sequential", HALF)) {
            draw(pipeline, FIRST);
            LatentThresholds.write(LatentThresholds.beside(model), "random",
                pipeline.spec().unwrap(FIRST, PartitionedDenoiser.class).denoiser(), HALF,
                new LatentThresholds.Measured("ddim", STEPS, 4, 20, 30));
        }
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices("cpu:1")
            .latentCache(folder.resolve("latents"), LatentCache.DEFAULT_MAX_BYTES).open()) {
            assertEquals(HALFWAY, draw(pipeline, SECOND).cache().source().orElseThrow().step());
        }
        Path file = LatentThresholds.beside(model);
        Files.writeString(file, Files.readString(file).replace("\"score\": 0.9", "\"score\": 1.9"));
        assertTrue(assertThrows(ModelException.class, () -> DiffusionPipeline.of(model).devices("cpu:1")
            .latentCache(folder.resolve("latents"), LatentCache.DEFAULT_MAX_BYTES).open()).getMessage()
            .endsWith("is missing or out of its range; run slipstream cache calibrate again"));
    }

    @Test
    void aModelThatWasNotMeasuredKeepsAndIsServedNothing() {
        try (LatentCache cache = cache()) {
            try (DiffusionPipeline pipeline = pipeline("sequential", Thresholds.NONE)) {
                draw(pipeline, FIRST);
                assertEquals(Optional.of(Reason.NOT_MEASURED.sentence()), draw(pipeline, SECOND).cache().miss());
            }
            assertEquals(1, cache.list().size());
            assertEquals(List.of(1, 2, 3, 4, 5), cache.list().getFirst().steps());
        }
    }

    @Test
    void aRequestForACacheThatIsNotThereIsRefused() {
        try (DiffusionPipeline pipeline = DiffusionPipeline.of(model).devices("cpu:1").open()) {
            assertEquals("this pipeline has no cache of latents; open it with one (latentCache), or let the request be "
                + "without", assertThrows(RequestException.class, () -> pipeline.submit(FIRST)).getMessage());
        }
    }
}
