package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.DistilledSteps;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Multistep sampling of a latent consistency model: each step jumps to the clean image and, but for the last, back to a
 * smaller noise level with fresh noise.
 *
 * @param timestepScaling how fast the boundary condition is left
 * @see <a href="https://arxiv.org/abs/2310.04378">Luo et al. (2023), algorithm 3</a>
 */
public record Lcm(TrainingSchedule training, CleanEstimate estimate, DistilledSteps timesteps, double timestepScaling)
        implements Sampler {
    private static final double SIGMA_DATA = 0.5;

    public static Lcm read(SchedulerOptions options) {
        TrainingSchedule training = TrainingSchedule.readRescaled(options, 0.00085, 0.012, "scaled_linear");
        return new Lcm(training, CleanEstimate.limited(options, false),
            DistilledSteps.read(options, training), options.number("timestep_scaling", 10));
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        timesteps.check(steps, "lcm");
        List<Row> rows = IntStream.range(first, steps).mapToObj(step -> row(steps, step)).toList();
        return estimate.table("lcm", 1, rows);
    }

    private Row row(int steps, int step) {
        int timestep = timesteps.timestep(steps, step);
        Mix from = estimate.level(training, timestep, "lcm");
        Mix to = step == steps - 1 ? Mix.CLEAN : training.level(timesteps.timestep(steps, step + 1));
        double scaled = timestep * timestepScaling;
        double norm = scaled * scaled + SIGMA_DATA * SIGMA_DATA;
        LinearForm denoised = estimate.clean(from).times(scaled / Math.sqrt(norm))
            .plus(LinearForm.LATENT.times(SIGMA_DATA * SIGMA_DATA / norm));
        return estimate.row(timestep, 1, from, denoised.times(to.image()).plus(LinearForm.NOISE.times(to.noise())),
            LinearForm.ZERO, denoised);
    }
}
