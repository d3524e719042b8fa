package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;

/**
 * How a picture is blurred with noise at a timestep of a training schedule, without a method to take the noise away
 * again. What upscalers have for their low-resolution picture. Immutable; safe for use by many threads.
 */
public final class ForwardNoise {
    private final TrainingSchedule training;

    private ForwardNoise(TrainingSchedule training) {
        this.training = training;
    }

    /**
     * Reads the text of a {@code scheduler_config.json} of any class.
     *
     * @param source what error messages call it
     * @throws dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException if it is damaged, or its
     *     schedule is not supported
     */
    public static ForwardNoise parse(String json, String source) {
        return new ForwardNoise(TrainingSchedule.readRescaled(SchedulerOptions.parse(json, source).requireKnown()));
    }

    /**
     * @throws dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException if the schedule has no such
     *     timestep
     */
    public Mix at(int timestep) {
        return training.level(timestep);
    }
}
