package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing.Kind;
import dev.slipstream.pipelines.diffusion.noise.step.DpmOrder;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bounds, tried on themselves and on both sides. */
class BoundsTest {
    private static NoiseScheduler parse(String json) {
        return NoiseScheduler.parse(json, "this test");
    }

    /** A path of 14 steps ends with low orders, one of 15 does not. */
    @ParameterizedTest
    @CsvSource({"14, 2 1", "15, 3 3", "16, 3 3"})
    void pathsOfLessThan15StepsEndLow(int steps, String ends) {
        DpmOrder order = new DpmOrder(3, true, false);
        assertEquals(ends, order.of(steps - 2, 0, steps, false) + " " + order.of(steps - 1, 0, steps, false));
    }

    @Test
    void aPathThatEndsCleanEndsWithOrderOneHoweverLongItIs() {
        DpmOrder order = new DpmOrder(2, true, false);
        assertEquals(1, order.of(29, 0, 30, true));
        assertEquals(2, order.of(29, 0, 30, false));
        assertEquals(1, new DpmOrder(2, false, true).of(29, 0, 30, false));
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"sigma_min\": 0", "\"sigma_max\": 0", "\"sigma_min\": 2, \"sigma_max\": 2",
        "\"sigma_min\": 3, \"sigma_max\": 2", "\"sigma_max\": Infinity", "\"sigma_min\": -1"})
    void boundsOfSpacedSigmasArePositiveFiniteAndInOrder(String bounds) {
        for (String spacing : new String[] {"use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"}) {
            assertThrows(NoiseSchedulerException.class, () -> parse("{\"_class_name\": \"EulerDiscreteScheduler\", \""
                + spacing + "\": true, " + bounds + "}"));
        }
        parse("{\"_class_name\": \"EulerDiscreteScheduler\", " + bounds + "}").table(3);
    }

    @ParameterizedTest
    @CsvSource({"0, false", "1e-9, true", "0.999999999, true", "1, false"})
    void aBetaLiesBetween0And1(double beta, boolean taken) {
        String json = "{\"_class_name\": \"EulerDiscreteScheduler\", \"num_train_timesteps\": 2, \"trained_betas\": ["
            + beta + ", 0.5]}";
        if (taken) {
            assertEquals(2, parse(json).trainedTimesteps());
        } else {
            assertThrows(NoiseSchedulerException.class, () -> parse(json));
        }
    }

    @Test
    void aDistilledModelTakesAsManyStepsAsItsSolver() {
        for (String method : new String[] {"LCMScheduler", "TCDScheduler"}) {
            NoiseScheduler scheduler = parse("{\"_class_name\": \"" + method + "\"}");
            assertEquals(50, scheduler.table(50).steps());
            assertThrows(NoiseSchedulerException.class, () -> scheduler.table(51));
            parse("{\"_class_name\": \"" + method + "\", \"original_inference_steps\": 1000}").table(1000);
        }
    }

    @Test
    void asManyStepsAsTimestepsAndNoneMore() {
        NoiseScheduler euler = parse("{\"_class_name\": \"EulerDiscreteScheduler\"}");
        assertEquals(1000, euler.table(1000).steps());
        assertThrows(NoiseSchedulerException.class, () -> euler.table(1001));
        assertEquals(1, euler.table(5, 4).steps());
        assertThrows(NoiseSchedulerException.class, () -> euler.table(5, 5));
        assertThrows(NoiseSchedulerException.class, () -> euler.table(5, -1));
    }

    @Test
    void theRungeKuttaStartTakesFourSteps() {
        NoiseScheduler pndm = parse("{\"_class_name\": \"PNDMScheduler\"}");
        assertEquals(13, pndm.table(4).steps());
        assertThrows(NoiseSchedulerException.class, () -> pndm.table(3));
    }

    /** scipy's beta.ppf(q, 0.6, 0.6). */
    @ParameterizedTest
    @CsvSource({"0, 0", "0.001, 1.855873851745e-05", "0.25, 0.175680378652695", "0.5, 0.5",
        "0.75, 0.824319621347305", "1, 1"})
    void levelsOfBetaSpacingAreQuantiles(double probability, double quantile) {
        double[] levels = betaLevels(1001);
        assertEquals(quantile, levels[(int) Math.rint(1000 * (1 - probability))], 1e-12);
    }

    @Test
    void levelsOfBetaSpacingFall() {
        double[] levels = betaLevels(201);
        assertTrue(IntStream.range(0, 200).allMatch(i -> levels[i] > levels[i + 1]));
    }

    private static double[] betaLevels(int steps) {
        return new SigmaSpacing(Kind.BETA, Double.NaN, Double.NaN).levels(1, 0, steps);
    }

    @Test
    void dynamicShiftingWantsToKnowThePicture() {
        NoiseScheduler flux = parse("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", "
            + "\"use_dynamic_shifting\": true, \"shift\": 3}");
        assertTrue(assertThrows(NoiseSchedulerException.class, () -> flux.table(4)).getMessage()
            .contains("use_dynamic_shifting"));
        // At as many tokens as the longest, the shift is exp(1.15).
        double shift = Math.exp(1.15);
        assertEquals(1000 * shift * 0.75 / (1 + (shift - 1) * 0.75),
            flux.forImageTokens(4096).table(4).rows().get(1).timestep(), 1e-9);
    }

    @Test
    void aModelOfFlowMatchingIsSampledBySolversOfItsKind() {
        NoiseScheduler model = parse("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"shift\": 3}");
        for (String method : new String[] {"unipc", "dpm++2m", "dpm++2s", "deis", "flow-match-euler"}) {
            double first = model.withMethod(method).table(10).rows().getFirst().timestep();
            assertTrue(first > 990 && first <= 1000, method + " begins at " + first);
        }
        assertThrows(NoiseSchedulerException.class, () -> model.withMethod("heun"));
    }

    @Test
    void levelsOfFlowMatchingAreStretchedToTheirEnd() {
        String file = "{\"_class_name\": \"UniPCMultistepScheduler\", \"prediction_type\": \"flow_prediction\", "
            + "\"use_flow_sigmas\": true, \"flow_shift\": 3, \"shift_terminal\": 0.1}";
        // The last becomes 0.1, a little less by rounding, and timesteps are cut off, as in diffusers.
        assertEquals(List.of(999.0, 99.0),
            parse(file).table(2).rows().stream().map(row -> row.timestep()).toList());
        // Without flow matching it has no effect, as in diffusers.
        String plain = "{\"_class_name\": \"UniPCMultistepScheduler\"}";
        assertEquals(parse(plain).table(3), parse(plain.replace("}", ", \"shift_terminal\": 0.1}")).table(3));
    }

    /** Values on both sides of each bound that an option has. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "TCDScheduler | eta | 0 1 0.5 | -0.1 1.1",
        "FlowMatchEulerDiscreteScheduler | shift_terminal | 0 0.999 | -0.1 1",
        "FlowMatchEulerDiscreteScheduler | shift | 1e-9 | 0 -1 Infinity",
        "EulerDiscreteScheduler | num_train_timesteps | 1 1000000 | 0 1000001 1e99 -1",
        "EulerDiscreteScheduler | steps_offset | 1 2147483647 -2147483648 | 0.5 2147483648 1e99",
        "DPMSolverMultistepScheduler | solver_order | 1 2 3 | 0 4",
        "LCMScheduler | original_inference_steps | 1 1000 | 0 1001",
        "EDMEulerScheduler | sigma_max | 0.0021 80 | 0.002 0.001 0 Infinity",
        "EDMEulerScheduler | sigma_data | 1e-9 | 0 -1",
        "EDMEulerScheduler | rho | 1e-3 | 0 -1"})
    void anOptionIsTakenUpToItsBounds(String className, String option, String taken, String refused) {
        String json = "{\"_class_name\": \"" + className + "\", \"" + option + "\": %s}";
        for (String value : taken.split(" ")) {
            parse(json.formatted(value));
        }
        for (String value : refused.split(" ")) {
            String message = assertThrows(NoiseSchedulerException.class, () -> parse(json.formatted(value)), value)
                .getMessage();
            assertTrue(message.contains(option), message);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"thresholding\": true, \"dynamic_thresholding_ratio\": | 0 1 | -0.1 1.1",
        "\"thresholding\": true, \"sample_max_value\": | 1e-30 1e30 | 0 1e-300 1e300",
        "\"clip_sample_range\": | 1e-30 1e30 | 0 1e-300 1e300 -1"})
    void aLimitFitsFp32(String option, String taken, String refused) {
        String json = "{\"_class_name\": \"DDIMScheduler\", " + option + " %s}";
        for (String value : taken.split(" ")) {
            assertTrue(parse(json.formatted(value)).table(2).limit().isPresent());
        }
        for (String value : refused.split(" ")) {
            assertThrows(NoiseSchedulerException.class, () -> parse(json.formatted(value)), value);
        }
    }

    @Test
    void aStepWithoutALengthIsNamed() {
        NoiseScheduler scheduler = parse("{\"_class_name\": \"DPMSolverMultistepScheduler\", "
            + "\"num_train_timesteps\": 4, \"timestep_spacing\": \"leading\"}");
        String message = assertThrows(NoiseSchedulerException.class, () -> scheduler.table(4)).getMessage();
        assertTrue(message.contains("cannot do 4 steps: step 1 would end"), message);
    }

    @Test
    void aTimestepBeyondTheTrainedOnesHasTheNoiseOfTheLast() {
        String json = "{\"_class_name\": \"EulerDiscreteScheduler\", \"timestep_spacing\": \"leading\", "
            + "\"steps_offset\": %d}";
        NoiseTable last = parse(json.formatted(9)).table(100);
        NoiseTable beyond = parse(json.formatted(15)).table(100);
        assertEquals(999, last.rows().getFirst().timestep());
        assertEquals(1005, beyond.rows().getFirst().timestep());
        assertEquals(last.initialScale(), beyond.initialScale());
        NoiseTable before = parse(json.formatted(-5)).table(100);
        assertEquals(parse(json.formatted(0)).table(100).rows().getLast().level(), before.rows().getLast().level());
    }

    @Test
    void aTimestepOfTheLeastAllowedRatioOfImageToNoiseIsUsed() {
        // The levels are 1/2 and 1, and the logarithm of 1 is 0.
        String json = "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"num_train_timesteps\": 2, "
            + "\"trained_betas\": [0.2, 0.375], \"timestep_spacing\": \"trailing\", \"lambda_min_clipped\": 0}";
        assertEquals(2, parse(json).table(2).steps());
    }

    @Test
    void withoutALimitNothingIsLimited() {
        assertTrue(parse("{\"_class_name\": \"DDIMScheduler\", \"clip_sample\": false}").table(2).limit().isEmpty());
    }

    @Test
    void zeroTerminalSnrNeedsAFirstAndALastTimestep() {
        String json = "{\"_class_name\": \"EulerDiscreteScheduler\", \"rescale_betas_zero_snr\": true, "
            + "\"prediction_type\": \"v_prediction\", \"num_train_timesteps\": %d}";
        assertEquals(2, parse(json.formatted(2)).table(2).steps());
        assertThrows(NoiseSchedulerException.class, () -> parse(json.formatted(1)));
    }

    @Test
    void theShiftOfAPictureLiesBetweenAShorterAndALongerOne() {
        String json = "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\", \"use_dynamic_shifting\": true, "
            + "\"base_image_seq_len\": 256, \"max_image_seq_len\": %d}";
        parse(json.formatted(257)).forImageTokens(256).table(2);
        String message = assertThrows(NoiseSchedulerException.class,
            () -> parse(json.formatted(256)).forImageTokens(256)).getMessage();
        assertTrue(message.contains("less than max_image_seq_len"), message);
        String steep = json.replace("%d", "4096, \"max_shift\": 1e9");
        assertThrows(NoiseSchedulerException.class, () -> parse(steep).forImageTokens(4096));
        String linear = json.replace("%d", "4096, \"time_shift_type\": \"linear\", \"base_shift\": 0");
        assertThrows(NoiseSchedulerException.class, () -> parse(linear).forImageTokens(256));
    }

    @Test
    void withoutClippingAllTimestepsAreUsedAndOneIsTheLeast() {
        String json = "{\"_class_name\": \"DPMSolverMultistepScheduler\", \"num_train_timesteps\": 2, "
            + "\"trained_betas\": [0.2, 0.5], \"timestep_spacing\": \"trailing\", \"lambda_min_clipped\": %s}";
        // log(alpha/sigma) is 0.69 and -0.20 there.
        assertEquals(2, parse(json.formatted("-0.21")).table(2).steps());
        NoiseScheduler clipped = parse(json.formatted("-0.20"));
        assertEquals(1, clipped.table(2).steps());
        String late = assertThrows(NoiseSchedulerException.class, () -> clipped.table(2, 1)).getMessage();
        assertTrue(late.contains("a path of 1 steps cannot begin after 1"), late);
        assertThrows(NoiseSchedulerException.class, () -> parse(json.formatted("0.7")));
    }
}
