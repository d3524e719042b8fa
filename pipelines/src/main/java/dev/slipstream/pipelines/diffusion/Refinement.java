package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.plan.Plan;

/**
 * How a second model took part in a picture.
 *
 * @param model name of the refiner
 * @param handover where it took over, as a share of the way from noise to picture
 * @param scheduler name of its noise scheduler
 * @param steps how many it took, the last ones
 */
public record Refinement(String model, double handover, String scheduler, Plan plan, int steps) {
}
