package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Multistep sampling of a latent consistency model: each step jumps to the clean image and, but for the last, back to a
 * smaller noise level with fresh noise.
 *
 * @param originalSteps how many steps the distilled solver took; the steps are chosen among them
 * @param timestepScaling how fast the boundary condition is left
 * @see <a href="https://arxiv.org/abs/2310.04378">Luo et al. (2023), algorithm 3</a>
 */
record Lcm(TrainingSchedule training, PredictionType prediction, int originalSteps, double timestepScaling)
        implements Sampler {
    private static final double SIGMA_DATA = 0.5;

    static Lcm read(SchedulerOptions options) {
        options.refuseClipping(false);
        TrainingSchedule training = TrainingSchedule.read(options, 0.00085, 0.012, "scaled_linear");
        PredictionType prediction = PredictionType.read(options);
        training.refuseNoSignal(prediction, "lcm");
        int originalSteps = options.positive("original_inference_steps", 50);
        if (originalSteps > training.timesteps()) {
            throw options.error("original_inference_steps is " + originalSteps + ", more than the "
                + training.timesteps() + " training timesteps");
        }
        return new Lcm(training, prediction, originalSteps, options.number("timestep_scaling", 10));
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        if (steps > originalSteps) {
            throw new NoiseSchedulerException("lcm takes 1 to " + originalSteps
                + " steps (original_inference_steps), not " + steps);
        }
        List<Row> rows = IntStream.range(first, steps).mapToObj(step -> row(steps, step)).toList();
        return new NoiseTable("lcm", 1, rows);
    }

    private Row row(int steps, int step) {
        int timestep = timestep(steps, step);
        NoiseLevel from = training.level(timestep);
        NoiseLevel to = step == steps - 1 ? NoiseLevel.CLEAN : training.level(timestep(steps, step + 1));
        double scaled = timestep * timestepScaling;
        double norm = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
        Terms denoised = prediction.clean(from).times(scaled / Math.sqrt(norm))
            .plus(Terms.LATENT.times(SIGMA_DATA * SIGMA_DATA / norm));
        return new Row(timestep, 1, denoised.times(to.alpha()).next(List.of(), to.sigma()), Linear.ZERO,
            denoised.linear(), from.mix());
    }

    /** Evenly chosen, from the noisiest on, among the timesteps of the distilled solver. */
    private int timestep(int steps, int step) {
        int index = (int) Math.floor(step * ((double) originalSteps / steps));
        return (originalSteps - index) * (training.timesteps() / originalSteps) - 1;
    }
}
