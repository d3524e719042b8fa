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
 * Multistep sampling of a trajectory consistency distillation: each step jumps along the trajectory to less noise than
 * the next timestep has and, but for the last, back to it with fresh noise.
 *
 * @param eta how much of the noise is fresh, 0 to 1
 * @see <a href="https://arxiv.org/abs/2402.19159">Zheng et al. (2024), algorithm 4</a>
 */
public record Tcd(TrainingSchedule training, CleanEstimate estimate, DistilledSteps timesteps, double eta)
        implements Sampler {
    public static Tcd read(SchedulerOptions options) {
        TrainingSchedule training = TrainingSchedule.readRescaled(options, 0.00085, 0.012, "scaled_linear");
        double eta = options.number("eta", 0.3);
        if (!(eta >= 0 && eta <= 1)) {
            throw options.error("eta is " + eta + ", but must be 0 to 1");
        }
        return new Tcd(training, CleanEstimate.read(options), DistilledSteps.read(options, training), eta);
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        timesteps.check(steps, "tcd");
        List<Row> rows = IntStream.range(first, steps).mapToObj(step -> row(steps, step)).toList();
        return estimate.table("tcd", 1, rows);
    }

    private Row row(int steps, int step) {
        int timestep = timesteps.timestep(steps, step);
        boolean last = step == steps - 1;
        int following = last ? 0 : timesteps.timestep(steps, step + 1);
        Mix from = estimate.level(training, timestep, "tcd");
        Mix landing = training.level((int) Math.floor((1 - eta) * following));
        LinearForm next = estimate.transfer(from, landing);
        if (!last) {
            double kept = training.level(following).image() / landing.image();
            next = next.times(kept).plus(LinearForm.NOISE.times(Math.sqrt(1 - kept * kept)));
        }
        return estimate.row(timestep, 1, from, next, LinearForm.ZERO);
    }
}
