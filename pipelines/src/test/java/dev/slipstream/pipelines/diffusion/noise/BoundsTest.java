package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.IntStream;
import java.util.List;
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
    void quantilesOfTheBetaDistributionAreKnown(double probability, double quantile) {
        BetaDistribution beta = new BetaDistribution(0.6);
        assertEquals(quantile, beta.quantile(probability), 1e-12);
    }

    @Test
    void quantilesOfTheBetaDistributionRise() {
        BetaDistribution beta = new BetaDistribution(0.6);
        double[] quantiles = IntStream.rangeClosed(0, 200).mapToDouble(i -> beta.quantile(i / 200.0)).toArray();
        assertTrue(IntStream.range(0, 200).allMatch(i -> quantiles[i] < quantiles[i + 1]));
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
}
