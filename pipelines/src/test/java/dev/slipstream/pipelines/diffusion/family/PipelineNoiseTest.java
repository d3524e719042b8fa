package dev.slipstream.pipelines.diffusion.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What pipelines mend in old configurations: those of Stable Diffusion 1 and 2 as diffusers', the others the least. */
class PipelineNoiseTest {
    /** The first published configuration of Stable Diffusion 1. */
    private static final String OLD = """
        {"_class_name": "PNDMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
         "num_train_timesteps": 1000, "skip_prk_steps": true}""";
    /** One without a word of clipping, of which its class knows nothing. */
    private static final String UNIPC = """
        {"_class_name": "UniPCMultistepScheduler", "beta_start": 0.00085, "beta_end": 0.012,
         "beta_schedule": "scaled_linear", "steps_offset": 1, "timestep_spacing": "leading"}""";

    private static NoiseScheduler parse(String json) {
        return NoiseScheduler.parse(json, "this test");
    }

    private static double firstTimestep(NoiseScheduler scheduler) {
        return scheduler.table(10).rows().getFirst().timestep();
    }

    @ParameterizedTest
    @ValueSource(strings = {"StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline", "OnnxStableDiffusionPipeline", "ORTStableDiffusionInpaintPipeline"})
    void stableDiffusionSetsTheOffsetThatOldFilesLack(String pipeline) {
        assertEquals(900, firstTimestep(parse(OLD)));
        assertEquals(901, firstTimestep(Family.noise(parse(OLD), pipeline)));
        assertEquals(901, firstTimestep(Family.noise(parse(OLD), pipeline).withMethod("ddim")));
        assertEquals(901, firstTimestep(Family.noise(parse(OLD.replace("}", ", \"steps_offset\": 7}")), pipeline)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"StableDiffusionXLPipeline", "StableDiffusionUpscalePipeline", ""})
    void othersFollowTheFile(String pipeline) {
        assertEquals(900, firstTimestep(Family.noise(parse(OLD), pipeline)));
    }

    @Test
    void noLatentsAreClippedUnlessTheFileSaysSo() {
        // As diffusers' from_config has it, a class that clips by default does so where the file is silent.
        assertTrue(parse(UNIPC).withMethod("ddim").table(5).limit().isPresent());
        for (String pipeline : new String[] {"StableDiffusionPipeline", "StableDiffusionXLPipeline", ""}) {
            assertFalse(Family.noise(parse(UNIPC), pipeline).withMethod("ddim").table(5).limit().isPresent());
            assertFalse(Family.noise(parse(UNIPC), pipeline).withMethod("ddpm").table(5).limit().isPresent());
        }
    }

    @Test
    void clippingThatTheFileAsksForIsTakenBackByStableDiffusionAlone() {
        NoiseScheduler clipping = parse("{\"_class_name\": \"DDIMScheduler\", \"clip_sample\": true}");
        assertFalse(Family.noise(clipping, "StableDiffusionPipeline").table(5).limit().isPresent());
        assertTrue(Family.noise(clipping, "StableDiffusionXLPipeline").table(5).limit().isPresent());
    }

    @Test
    void inpaintingLeavesOutTheRungeKuttaStart() {
        NoiseScheduler pndm = parse("{\"_class_name\": \"PNDMScheduler\"}");
        assertEquals(19, Family.noise(pndm, "StableDiffusionPipeline").table(10).steps());
        assertEquals(11, Family.noise(pndm, "StableDiffusionInpaintPipeline").table(10).steps());
    }

    @Test
    void aChosenMethodStaysChosen() {
        assertEquals("heun", Family.noise(parse(OLD).withMethod("heun"), "StableDiffusionPipeline").table(3).name());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"_class_name\": \"SASolverScheduler\", \"tau_func\": 3}", "{\"beta_start\": 1e-4}",
        "{\"_class_name\": \"DDPMScheduler\", \"variance_type\": \"learned\"}",
        "{\"_class_name\": \"EulerDiscreteScheduler\", \"of_tomorrow\": true}"})
    void aMethodThatCannotBeUsedIsRefusedOnlyWhereNoOtherIsChosen(String json) {
        NoiseScheduler scheduler = Family.noise(NoiseScheduler.parseForAnyMethod(json, "a file"), "AnyPipeline");
        assertEquals(3, scheduler.withMethod("euler").table(3).steps());
        assertTrue(assertThrows(NoiseSchedulerException.class, () -> scheduler.table(3)).getMessage()
            .startsWith("a file: "));
        assertThrows(NoiseSchedulerException.class, () -> NoiseScheduler.parse(json, "a file"));
    }
}
