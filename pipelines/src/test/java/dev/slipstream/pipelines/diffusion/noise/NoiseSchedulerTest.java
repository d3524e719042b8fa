package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
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

    /** A file of the kind of model that a method samples. */
    private static NoiseScheduler model(String method) {
        String className = method.startsWith("edm-") ? "EDMEulerScheduler"
            : method.startsWith("flow-match") ? "FlowMatchEulerDiscreteScheduler" : null;
        return parse(className == null ? STABLE_DIFFUSION_1 : "{\"_class_name\": \"" + className + "\"}");
    }

    @Test
    void everyNameMakesATable() {
        for (String name : NoiseScheduler.names()) {
            NoiseTable table = model(name).withMethod(name).table(20);
            assertEquals(name, table.name());
            boolean secondOrder = name.matches("(heun|dpm2(-ancestral)?|dpm\\+\\+sde)(-karras|-exponential|-beta)?");
            assertEquals(secondOrder ? 39 : name.startsWith("pndm") ? 21 : 20, table.steps(), name);
            long steps = table.rows().stream().filter(row -> !row.continues()).count();
            assertEquals(name.equals("pndm") ? 21 : 20, steps, name);
        }
        assertTrue(NoiseScheduler.names().containsAll(NoiseScheduler.methods()));
    }

    @Test
    void methodsWithFreshNoiseSaySo() {
        List<String> noisy = NoiseScheduler.methods().stream()
            .filter(method -> model(method).withMethod(method).table(4).needsNoise()).toList();
        assertEquals(List.of("ddpm", "euler-ancestral", "dpm2-ancestral", "dpm++sde", "dpm++2m-sde", "dpm++3m-sde",
            "lcm", "tcd"), noisy);
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
            STABLE_DIFFUSION_1.replace("PNDMScheduler", "SASolverScheduler")
                .replace("}", ", \"tau_func\": \"its own\"}"));
        String message = assertThrows(NoiseSchedulerException.class, () -> NoiseScheduler.read(file)).getMessage();
        assertTrue(message.contains(file.toString()) && message.contains("'SASolverScheduler'")
            && message.contains("EulerDiscreteScheduler") && message.contains("dpm++2m"), message);
        assertEquals("euler", NoiseScheduler.read(file, "euler").table(5).name());
    }

    @Test
    void unknownMethodIsAnswered() {
        String message = assertThrows(NoiseSchedulerException.class,
            () -> parse(STABLE_DIFFUSION_1).withMethod("dpm3")).getMessage();
        assertTrue(message.contains("'dpm3'") && message.contains("dpm++2m") && message.contains("-karras"), message);
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
        "DDIMScheduler | \"thresholding\": true, \"dynamic_thresholding_ratio\": 2 | dynamic_thresholding_ratio is 2",
        "DDIMScheduler | \"clip_sample\": true, \"clip_sample_range\": 0 | clip_sample_range is 0",
        "DDIMScheduler | \"predict_epsilon\": false | predict_epsilon",
        "DDPMScheduler | \"clip_sample\": false, \"variance_type\": \"learned_range\" | variance_type 'learned_range'",
        "EulerDiscreteScheduler | \"prediction_type\": \"flow\" | prediction_type 'flow'",
        "EulerDiscreteScheduler | \"beta_schedule\": \"sigmoid\" | beta_schedule 'sigmoid'",
        "EulerDiscreteScheduler | \"timestep_spacing\": \"ays\" | timestep_spacing 'ays'",
        "EulerDiscreteScheduler | \"interpolation_type\": \"cubic\" | interpolation_type 'cubic'",
        "EulerDiscreteScheduler | \"final_sigmas_type\": \"one\" | final_sigmas_type 'one'",
        "EulerDiscreteScheduler | \"brand_new\": 3 | brand_new = 3",
        "EulerDiscreteScheduler | \"use_karras_sigmas\": true, \"sigma_min\": -1 | sigma_min",
        "DPMSolverMultistepScheduler | \"algorithm_type\": \"dpmsolver\" | final_sigmas_type",
        "DPMSolverMultistepScheduler | \"solver_order\": 4 | solver_order is 4",
        "DPMSolverMultistepScheduler | \"algorithm_type\": \"sde-dpmsolver\", \"solver_order\": 3, "
            + "\"final_sigmas_type\": \"sigma_min\" | solver_order",
        "DPMSolverMultistepScheduler | \"prediction_type\": \"flow_prediction\" | use_flow_sigmas",
        "DPMSolverMultistepScheduler | \"use_flow_sigmas\": true, \"use_karras_sigmas\": true | another spacing",
        "DPMSolverMultistepScheduler | \"use_flow_sigmas\": true, \"use_dynamic_shifting\": true | flow_shift",
        "DPMSolverMultistepScheduler | \"use_flow_sigmas\": true, \"prediction_type\": \"v_prediction\" "
            + "| flow_prediction",
        "DPMSolverSinglestepScheduler | \"variance_type\": \"learned_range\" | variance_type",
        "DPMSolverSinglestepScheduler | \"algorithm_type\": \"sde-dpmsolver\" | algorithm_type",
        "EulerDiscreteScheduler | \"use_karras_sigmas\": true, \"use_beta_sigmas\": true | only one of",
        "UniPCMultistepScheduler | \"solver_p\": {} | solver_p",
        "UniPCMultistepScheduler | \"solver_order\": 0 | solver_order is 0",
        "UniPCMultistepScheduler | \"solver_type\": \"bh3\" | solver_type 'bh3'",
        "UniPCMultistepScheduler | \"shift_terminal\": 1 | shift_terminal",
        "TCDScheduler | \"eta\": 1.5 | eta is 1.5",
        "EDMEulerScheduler | \"sigma_min\": 90 | sigma_min",
        "EDMEulerScheduler | \"sigma_schedule\": \"linear\" | sigma_schedule 'linear'",
        "EDMDPMSolverMultistepScheduler | \"algorithm_type\": \"sde-dpmsolver++\", \"solver_order\": 3 | solver_order",
        "FlowMatchEulerDiscreteScheduler | \"shift_terminal\": 1 | shift_terminal",
        "FlowMatchEulerDiscreteScheduler | \"time_shift_type\": \"cubic\" | time_shift_type 'cubic'",
        "HeunDiscreteScheduler | \"beta_schedule\": \"laplace\" | beta_schedule 'laplace'",
        "DPMSolverMultistepScheduler | \"solver_type\": \"rk\" | solver_type 'rk'",
        "DPMSolverMultistepScheduler | \"variance_type\": \"learned\" | variance_type",
        "DPMSolverMultistepScheduler | \"lambda_min_clipped\": 99 | lambda_min_clipped",
        "FlowMatchEulerDiscreteScheduler | \"shift\": 0 | shift is 0.0",
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
        assertEquals(new LinearForm(1, 0, List.of(), 0), table.rows().getLast().next());
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

    @Test
    void aFileOfAnotherClassIsReadWithoutItsUnknownOptionsAndOneOfItsOwnIsNot() {
        String json = "{\"_class_name\": \"EulerDiscreteScheduler\", \"brand_new\": 3}";
        assertEquals("heun", NoiseScheduler.parseForClass(json, "a file", "HeunDiscreteScheduler").table(3).name());
        for (String own : List.of(json, json.replace("\"_class_name\": \"EulerDiscreteScheduler\", ", ""))) {
            assertThrows(NoiseSchedulerException.class,
                () -> NoiseScheduler.parseForClass(own, "a file", "EulerDiscreteScheduler"));
        }
        assertEquals("euler", NoiseScheduler.parseForClass("{}", "a file", "EulerDiscreteScheduler").table(3).name());
    }

    @Test
    void aFileThatCannotBeUsedIsRefusedWhereItsStepsAreAskedForUnlessAMethodIsChosen() {
        NoiseScheduler unknown = NoiseScheduler.parseForAnyMethod("{\"_class_name\": \"Brand\"}", "a file");
        String message = assertThrows(NoiseSchedulerException.class, () -> unknown.table(3)).getMessage();
        assertTrue(message.contains("a file") && message.contains("'Brand'"), message);
        assertThrows(NoiseSchedulerException.class, unknown::trainedTimesteps);
        assertThrows(NoiseSchedulerException.class, () -> unknown.forImageTokens(9).table(3));
        assertEquals("ddim", unknown.withMethod("ddim").table(3).name());
        NoiseScheduler known = NoiseScheduler.parseForAnyMethod(STABLE_DIFFUSION_1, "a file");
        assertEquals("pndm", known.table(3).name());
        assertEquals("ddim", known.withMethod("ddim").table(3).name());
    }

    @Test
    void whatDividesByNothingIsRefusedWithItsStepsAndAWayOut() {
        // Noise alone, from which epsilon says nothing of the image, and one step that must have a length.
        NoiseScheduler scheduler = parse("{\"_class_name\": \"DDIMScheduler\", \"rescale_betas_zero_snr\": true, "
            + "\"timestep_spacing\": \"trailing\"}");
        String message = assertThrows(NoiseSchedulerException.class, () -> scheduler.table(4)).getMessage();
        assertTrue(message.contains("rescale_betas_zero_snr") && message.contains("ddim"), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"karras", "exponential", "beta"})
    void oneEndOfTheNoiseLevelsMustNotLieBeyondTheSchedulesOther(String spacing) {
        String file = "{\"_class_name\": \"EulerDiscreteScheduler\", \"use_" + spacing + "_sigmas\": true, ";
        assertEquals(4, parse(file + "\"sigma_min\": 150.0}").table(4).steps());
        for (String option : List.of("\"sigma_min\": 160.0}", "\"sigma_max\": 0.005}")) {
            String message =
                assertThrows(NoiseSchedulerException.class, () -> parse(file + option).table(4)).getMessage();
            assertTrue(message.contains("would rise"), message);
        }
    }

    @Test
    void whereTheImageIsAtOneTheVelocityLeadsToIt() {
        for (NoiseTable.Row row : parse("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", "
            + "\"invert_sigmas\": true}").table(3).rows()) {
            assertEquals(1, row.estimate().latent());
            assertEquals(1 - row.timestep() / 1000, row.estimate().prediction(), 1e-12);
        }
    }
}
