package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.run.NoiseTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NoiseSchedulerTest {
    /** What Stable Diffusion 1.5 ships. */
    private static final String STABLE_DIFFUSION_1 = """
        {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
         "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
         "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1, "trained_betas": null,
         "clip_sample": false}""";

    private static NoiseScheduler parse(String json) {
        return NoiseScheduler.parse(json, "scheduler_config.json");
    }

    private static String failure(String json) {
        String message = assertThrows(NoiseSchedulerException.class, () -> parse(json)).getMessage();
        assertTrue(message.contains("scheduler_config.json"), message);
        return message;
    }

    @Test
    void everyListedMethodMakesATable() {
        for (String method : NoiseScheduler.methods()) {
            String json = method.equals("flow-match-euler")
                ? "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}" : STABLE_DIFFUSION_1;
            NoiseTable table = parse(json).withMethod(method).table(20);
            assertEquals(method, table.name());
            assertEquals(method.equals("pndm") ? 21 : 20, table.steps());
        }
    }

    @Test
    void methodsWithFreshNoiseSaySo() {
        List<String> noisy = NoiseScheduler.methods().stream()
            .filter(method -> !method.equals("flow-match-euler"))
            .filter(method -> parse(STABLE_DIFFUSION_1).withMethod(method).table(4).needsNoise()).toList();
        assertEquals(List.of("ddpm", "euler-ancestral", "dpm++2m-sde", "dpm++2m-sde-karras", "lcm"), noisy);
    }

    @Test
    void anotherMethodHasTheDefaultsOfItsOwnClass() {
        NoiseScheduler pndm = parse(STABLE_DIFFUSION_1);
        assertEquals(951, pndm.table(20).rows().getFirst().timestep());
        // The file says nothing of spacing, which is linspace for Euler and leading for PNDM.
        assertEquals(999, pndm.withMethod("euler").table(20).rows().getFirst().timestep());
        assertEquals(951, pndm.withMethod("euler").withMethod("ddim").table(20).rows().getFirst().timestep());
    }

    @Test
    void nameWithoutKarrasKeepsTheSpacingOfTheFile() {
        NoiseScheduler karras = parse("{\"_class_name\": \"EulerDiscreteScheduler\", \"use_karras_sigmas\": true}");
        assertEquals("euler-karras", karras.table(5).name());
        assertEquals("dpm++2m-karras", karras.withMethod("dpm++2m").table(5).name());
        assertEquals("ddpm", parse(STABLE_DIFFUSION_1).withMethod("euler-karras").withMethod("ddpm").table(5).name());
    }

    @Test
    void filesAreReadWithOrWithoutAMethod(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("scheduler_config.json"), STABLE_DIFFUSION_1);
        assertEquals("pndm", NoiseScheduler.read(file).table(5).name());
        assertEquals("ddim", NoiseScheduler.read(file, "ddim").table(5).name());
        assertThrows(NoSuchFileException.class, () -> NoiseScheduler.read(folder.resolve("none.json")));
    }

    @Test
    void unknownClassIsNamedAndAMethodMayReplaceIt(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("scheduler_config.json"),
            STABLE_DIFFUSION_1.replace("PNDMScheduler", "HeunDiscreteScheduler"));
        String message = assertThrows(NoiseSchedulerException.class, () -> NoiseScheduler.read(file)).getMessage();
        assertTrue(message.contains(file.toString()) && message.contains("'HeunDiscreteScheduler'")
            && message.contains("EulerDiscreteScheduler") && message.contains("dpm++2m"), message);
        assertEquals("euler", NoiseScheduler.read(file, "euler").table(5).name());
    }

    @Test
    void unknownMethodIsAnswered() {
        String message = assertThrows(NoiseSchedulerException.class,
            () -> parse(STABLE_DIFFUSION_1).withMethod("dpm3")).getMessage();
        assertTrue(message.contains("'dpm3'") && message.contains("dpm++2m-karras"), message);
    }

    @Test
    void flowMatchingAndDiffusionAreNotMixedUp() {
        assertThrows(NoiseSchedulerException.class, () -> parse(STABLE_DIFFUSION_1).withMethod("flow-match-euler"));
        assertThrows(NoiseSchedulerException.class,
            () -> parse("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}").withMethod("euler"));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 1001})
    void numbersOfStepsOutsideTheTrainingAreRefused(int steps) {
        String message = assertThrows(NoiseSchedulerException.class,
            () -> parse(STABLE_DIFFUSION_1).table(steps)).getMessage();
        assertTrue(message.contains(" " + steps + ",") && message.contains("1 to 1000"), message);
    }

    @ParameterizedTest
    @CsvSource({"ddim, 1000", "dpm++2m, 1000", "lcm, 51"})
    void stepsThatAMethodCannotDoAreRefused(String method, int steps) {
        NoiseScheduler scheduler = parse(STABLE_DIFFUSION_1.replace("}", ", \"timestep_spacing\": \"leading\"}"));
        assertThrows(NoiseSchedulerException.class, () -> scheduler.withMethod(method).table(steps));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "DDIMScheduler | \"thresholding\": true, \"clip_sample\": false | thresholding",
        "DDIMScheduler | \"clip_sample\": true | clip_sample",
        "DDIMScheduler | \"clip_sample\": null | clip_sample is true by default",
        "DDPMScheduler | \"clip_sample\": false, \"variance_type\": \"learned_range\" | variance_type 'learned_range'",
        "LCMScheduler | \"clip_sample\": true | clip_sample",
        "PNDMScheduler | \"skip_prk_steps\": false | skip_prk_steps",
        "EulerDiscreteScheduler | \"use_exponential_sigmas\": true | use_exponential_sigmas",
        "EulerDiscreteScheduler | \"use_beta_sigmas\": true | use_beta_sigmas",
        "EulerDiscreteScheduler | \"prediction_type\": \"flow\" | prediction_type 'flow'",
        "EulerDiscreteScheduler | \"beta_schedule\": \"sigmoid\" | beta_schedule 'sigmoid'",
        "EulerDiscreteScheduler | \"timestep_spacing\": \"ays\" | timestep_spacing 'ays'",
        "EulerDiscreteScheduler | \"interpolation_type\": \"cubic\" | interpolation_type 'cubic'",
        "EulerDiscreteScheduler | \"final_sigmas_type\": \"one\" | final_sigmas_type 'one'",
        "EulerDiscreteScheduler | \"brand_new\": 3 | brand_new = 3",
        "EulerDiscreteScheduler | \"use_karras_sigmas\": true, \"sigma_min\": -1 | sigma_min",
        "DPMSolverMultistepScheduler | \"algorithm_type\": \"dpmsolver\" | algorithm_type 'dpmsolver'",
        "DPMSolverMultistepScheduler | \"solver_order\": 4 | solver_order is 4",
        "DPMSolverMultistepScheduler | \"algorithm_type\": \"sde-dpmsolver++\", \"solver_order\": 3 | solver_order",
        "DPMSolverMultistepScheduler | \"solver_type\": \"rk\" | solver_type 'rk'",
        "DPMSolverMultistepScheduler | \"use_lu_lambdas\": true | use_lu_lambdas",
        "DPMSolverMultistepScheduler | \"variance_type\": \"learned\" | variance_type",
        "DPMSolverMultistepScheduler | \"thresholding\": true | thresholding",
        "DPMSolverMultistepScheduler | \"lambda_min_clipped\": 99 | lambda_min_clipped",
        "FlowMatchEulerDiscreteScheduler | \"use_dynamic_shifting\": true | use_dynamic_shifting",
        "FlowMatchEulerDiscreteScheduler | \"shift_terminal\": 0.02 | shift_terminal",
        "FlowMatchEulerDiscreteScheduler | \"shift\": 0 | shift is 0.0",
        "LMSDiscreteScheduler | \"rescale_betas_zero_snr\": true | rescale_betas_zero_snr",
        "DDIMScheduler | \"clip_sample\": false, \"rescale_betas_zero_snr\": true | rescale_betas_zero_snr",
        "LCMScheduler | \"original_inference_steps\": 2000 | original_inference_steps",
    })
    void optionsThatCannotBeHonouredAreNamed(String className, String options, String named) {
        String message = failure("{\"_class_name\": \"" + className + "\", " + options + "}");
        assertTrue(message.contains(named), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "nonsense", "{}", "{\"_class_name\": 3}", "{\"_class_name\": []}"})
    void whatIsNoConfigurationIsRefused(String json) {
        failure(json);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"num_train_timesteps\": 0", "\"num_train_timesteps\": 1.5",
        "\"num_train_timesteps\": 2000000000", "\"beta_end\": \"much\"", "\"beta_end\": 1.5", "\"beta_end\": {}",
        "\"beta_start\": NaN", "\"trained_betas\": 3", "\"trained_betas\": [0.1, 0.2]", "\"trained_betas\": [[]]",
        "\"steps_offset\": 1e99", "\"use_karras_sigmas\": 1", "\"use_karras_sigmas\": []"})
    void damagedOptionsAreRefused(String option) {
        failure("{\"_class_name\": \"EulerDiscreteScheduler\", " + option + "}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"solver_type\": \"heun\"", "\"solver_order\": 3"})
    void stepThatStaysAtItsLevelChangesNothing(String option) {
        NoiseTable table = parse("{\"_class_name\": \"DPMSolverMultistepScheduler\", \"use_karras_sigmas\": true, "
            + "\"final_sigmas_type\": \"sigma_min\", " + option + "}").table(16);
        assertEquals(new NoiseTable.Next(1, 0, List.of(), 0), table.rows().getLast().next());
    }

    @Test
    void pythonsInfinityIsANumber() {
        String json = "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"lambda_min_clipped\": -Infinity}";
        assertEquals(999, parse(json).table(5).rows().getFirst().timestep());
    }

    @Test
    void unknownOptionsThatAreSwitchedOffAreHarmless() {
        parse("{\"_class_name\": \"EulerDiscreteScheduler\", \"brand_new\": false, \"newer\": null}").table(2);
    }
}
