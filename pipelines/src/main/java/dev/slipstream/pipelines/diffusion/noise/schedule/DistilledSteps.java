package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;

/**
 * The timesteps of the solver that a model was distilled from; steps are chosen among them.
 *
 * @param original how many steps that solver took
 * @param trained how many timesteps the model was trained with
 */
public record DistilledSteps(int original, int trained) {
    public static DistilledSteps read(SchedulerOptions options, TrainingSchedule training) {
        int original = options.positive("original_inference_steps", 50);
        if (original > training.timesteps()) {
            throw options.error("original_inference_steps is " + original + ", more than the "
                + training.timesteps() + " training timesteps");
        }
        return new DistilledSteps(original, training.timesteps());
    }

    public void check(int steps, String method) {
        if (steps > original) {
            throw new NoiseSchedulerException(method + " takes 1 to " + original
                + " steps (original_inference_steps), not " + steps);
        }
    }

    /** Evenly chosen, from the noisiest on. */
    public int timestep(int steps, int step) {
        int index = (int) Math.floor(step * ((double) original / steps));
        return (original - index) * (trained / original) - 1;
    }
}
