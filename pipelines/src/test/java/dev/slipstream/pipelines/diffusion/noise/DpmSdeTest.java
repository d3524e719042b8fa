package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** diffusers' Brownian tree cannot be drawn again, so its law is held to what k-diffusion's formulas say of it. */
class DpmSdeTest {
    private static final String MODEL = """
        {"_class_name": "DPMSolverSDEScheduler", "beta_start": 0.00085, "beta_end": 0.012,
         "beta_schedule": "scaled_linear", "prediction_type": "%s"}""";

    private static NoiseTable table(String prediction, int steps) {
        return NoiseScheduler.parse(MODEL.formatted(prediction), "this test").table(steps);
    }

    private static double sigma(Row row) {
        return Math.sqrt(1 / (row.inputScale() * row.inputScale()) - 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 7, 30})
    void bothHalvesOfAStepKeepTheVarianceOfTheirLevel(int steps) {
        // With the image known to be 0, x has variance sigma², and each row must end with that of the next.
        List<Row> rows = table("sample", steps).rows();
        for (int first = 0; first + 2 < rows.size(); first += 2) {
            Row half = rows.get(first);
            Row whole = rows.get(first + 1);
            double from = sigma(half);
            double middle = sigma(whole);
            double to = sigma(rows.get(first + 2));
            assertEquals(middle * middle, square(half.next().latent() * from) + square(half.next().noise()),
                1e-9 * middle * middle);
            // The second half begins where the step began, whose latents are remembered.
            assertEquals(0, whole.next().latent());
            assertEquals(1, half.history().latent());
            assertEquals(to * to, square(whole.next().past().getFirst() * from) + square(whole.next().noise())
                + square(whole.next().pastNoise().getFirst()), 1e-9 * to * to);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 7, 30})
    void theNoiseOfAStepContainsThatOfItsFirstHalfAsABrownianMotionInSigmaDoes(int steps) {
        List<Row> rows = table("epsilon", steps).rows();
        for (int first = 0; first + 2 < rows.size(); first += 2) {
            Row whole = rows.get(first + 1);
            double from = sigma(rows.get(first));
            double middle = sigma(whole);
            double to = sigma(rows.get(first + 2));
            assertEquals(Math.sqrt(from * to), middle, 1e-9 * middle);
            double shared = square(whole.next().pastNoise().getFirst());
            double correlation = Math.sqrt(shared / (shared + square(whole.next().noise())));
            assertEquals(Math.sqrt((from - middle) / (from - to)), correlation, 1e-9);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"epsilon", "v_prediction", "sample"})
    void withoutNoiseItLandsOnTheOneImage(String prediction) {
        NoiseTable table = table(prediction, 7);
        double last = Walk.follow(table, table.initialScale() * 0.7, (step, row, latent) -> {
            double sigma = sigma(row);
            double noise = (latent - 0.4) / sigma;
            return switch (prediction) {
                case "epsilon" -> noise;
                case "sample" -> 0.4;
                default -> (noise - sigma * 0.4) / Math.hypot(1, sigma);
            };
        }, new double[table.steps()]).getLast();
        assertEquals(0.4, last, 1e-9);
    }

    private static double square(double value) {
        return value * value;
    }
}
