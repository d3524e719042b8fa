package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.TimestepSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;

/**
 * DDIM without fresh noise (eta 0).
 *
 * @param last the level at the end of the path
 * @see <a href="https://arxiv.org/abs/2010.02502">Song et al. (2021), equation 12</a>
 */
public record Ddim(TrainingSchedule training, CleanEstimate estimate, TimestepSpacing spacing, int offset, Mix last)
        implements Sampler {
    public static Ddim read(SchedulerOptions options) {
        TrainingSchedule training = TrainingSchedule.readRescaled(options);
        return new Ddim(training, CleanEstimate.limited(options, true),
            TimestepSpacing.read(options, "leading"), options.integer("steps_offset", 0),
            training.finalLevel(options.flag("set_alpha_to_one", true)));
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        // As in diffusers, a step is this long even where rounding puts the next timestep elsewhere.
        int stride = training.timesteps() / steps;
        List<Row> rows = new ArrayList<>(steps);
        for (int timestep : spacing.wholeTimesteps(training.timesteps(), steps, first, offset)) {
            Mix from = estimate.level(training, timestep, "ddim");
            Mix to = timestep < stride ? last : training.level(timestep - stride);
            rows.add(estimate.row(timestep, 1, from, estimate.transfer(from, to), LinearForm.ZERO));
        }
        return estimate.table("ddim", 1, rows);
    }
}
