package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which models and requests a refiner can have a part in, on paper. */
@Timeout(120)
class RefinerCompatibilityTest {
    private static final ImageRequest STAR = ImageRequest.of("a red star").withSteps(50);

    @TempDir
    private Path base;
    @TempDir
    private Path refiner;

    private DiffusionPipeline.Builder models(Family first, Family second) {
        RandomModel.write(base, first);
        RandomModel.write(refiner, second);
        return DiffusionPipeline.of(base).devices("cpu:1");
    }

    private String refused(DiffusionPipeline.Builder builder) {
        return assertThrows(ModelException.class, () -> builder.refiner(refiner).spec()).getMessage();
    }

    private static String refused(PipelineSpec spec, ImageRequest request) {
        return assertThrows(RequestException.class, () -> spec.check(request)).getMessage();
    }

    @Test
    void bothDraftsHaveTheirPartOfTheSteps() {
        try (PipelineSpec spec = models(Family.SDXL, Family.REFINER).refiner(refiner).spec()) {
            spec.check(STAR);
            PipelineSpec second = spec.refiner().orElseThrow();
            assertEquals(new NoiseSpan(0, 0.8), spec.span());
            assertEquals(new NoiseSpan(0.8, 1), second.span());
            assertEquals(40, spec.noise(STAR).steps());
            assertEquals(10, second.noise(STAR).steps());
            assertEquals(40, spec.program(STAR).steps());
            assertEquals(10, second.program(STAR).steps());
            assertEquals("refiner", second.denoiser(STAR).segment(0).name());
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1, -0.5, 1.5, Double.NaN})
    void itTakesOverBetween0And1(double handover) {
        assertThrows(IllegalArgumentException.class, () -> DiffusionPipeline.of(base).refiner(refiner, handover));
    }

    @Test
    void latentsOfAnotherScaleAreRefused() {
        DiffusionPipeline.Builder models = models(Family.SDXL, Family.REFINER);
        new RandomModel(refiner).change("vae/config.json", "scaling_factor", 0.13025);
        String message = refused(models);
        assertTrue(message.startsWith(refiner.toString()) && message.contains("scaling factor 0.13025")
            && message.contains("scaling factor 0.18215") && message.contains(base.toString()), message);
    }

    @ParameterizedTest
    @EnumSource(value = Family.class, names = {"INPAINTING", "UPSCALER"})
    void modelsThatRepaintOrEnlargeNeitherHaveARefinerNorAreOne(Family family) {
        String asBase = refused(models(family, Family.REFINER));
        assertTrue(asBase.startsWith(base.toString()), asBase);
        String asRefiner = refused(models(Family.SDXL, family));
        assertTrue(asRefiner.startsWith(refiner.toString()), asRefiner);
    }

    @Test
    void whatIsNoModelIsRefused(@TempDir Path empty) {
        DiffusionPipeline.Builder models = models(Family.SDXL, Family.REFINER).refiner(empty);
        String message = assertThrows(ModelException.class, models::spec).getMessage();
        assertTrue(message.contains(empty.toString()), message);
    }

    @Test
    void aRefinerCannotBegin() {
        try (PipelineSpec spec = models(Family.REFINER, Family.SDXL).refiner(refiner).spec()) {
            String message = refused(spec, STAR);
            assertTrue(message.contains("refines a picture that another has drawn"), message);
        }
    }

    @Test
    void aMaskIsRefused() {
        try (PipelineSpec spec = models(Family.SDXL, Family.REFINER).refiner(refiner).spec()) {
            String message = refused(spec, STAR.withGiven(
                GivenImage.of(FamiliesTest.picture(16, 16)).withMask(FamiliesTest.mask(16, 16))));
            assertTrue(message.contains("mask"), message);
        }
    }

    @Test
    void noiseSchedulersThatScaleLatentsOtherwiseAreRefusedUnlessTheRequestNamesOneForBoth() {
        DiffusionPipeline.Builder models = models(Family.SDXL, Family.REFINER).refiner(refiner);
        new RandomModel(base).change("scheduler/scheduler_config.json", "_class_name", "EulerDiscreteScheduler");
        try (PipelineSpec spec = models.spec()) {
            String message = refused(spec, STAR);
            assertTrue(message.contains("euler") && message.contains("ddim"), message);
            for (String both : new String[] {"euler", "ddim", "dpm++2m", "lms"}) {
                spec.check(STAR.withScheduler(both));
                NoiseTable second = spec.refiner().orElseThrow().noise(STAR.withScheduler(both));
                assertEquals(both, second.name());
            }
        }
    }

    @Test
    void bothNeedAStep() {
        try (PipelineSpec spec = models(Family.SDXL, Family.REFINER).refiner(refiner, 0.99).spec()) {
            spec.check(STAR);
            String message = assertThrows(NoiseSchedulerException.class,
                () -> spec.check(STAR.withSteps(1))).getMessage();
            assertTrue(message.contains("1 step"), message);
        }
    }
}
