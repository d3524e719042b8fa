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
 * DDPM's ancestral sampling, which adds fresh noise in every step.
 *
 * @param largeVariance whether the noise has the variance of the forward step, not that of the posterior
 * @see <a href="https://arxiv.org/abs/2006.11239">Ho et al. (2020), equations 6 and 7</a>
 */
public record Ddpm(TrainingSchedule training, CleanEstimate estimate, TimestepSpacing spacing, int offset,
                   boolean largeVariance) implements Sampler {
    /** diffusers' least variance. */
    private static final double MIN_VARIANCE = 1e-20;

    public static Ddpm read(SchedulerOptions options) {
        TrainingSchedule training = TrainingSchedule.readRescaled(options, "sigmoid", "laplace");
        return new Ddpm(training, CleanEstimate.limited(options, true),
            TimestepSpacing.read(options, "leading"), options.integer("steps_offset", 0),
            options.choice("variance_type", "fixed_small", "fixed_small", "fixed_small_log", "fixed_large")
                .equals("fixed_large"));
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        int[] timesteps = spacing.wholeTimesteps(training.timesteps(), steps, first, offset);
        List<Row> rows = new ArrayList<>(steps);
        for (int index = 0; index < timesteps.length; index++) {
            Mix level = estimate.level(training, timesteps[index], "ddpm");
            double from = training.alphaCumprod(timesteps[index]);
            double to = index == timesteps.length - 1 ? 1 : training.alphaCumprod(timesteps[index + 1]);
            rows.add(estimate.row(timesteps[index], 1, level, next(estimate.clean(level), from, to,
                timesteps[index] > 0), LinearForm.ZERO));
        }
        return estimate.table("ddpm", 1, rows);
    }

    private LinearForm next(LinearForm clean, double from, double to, boolean noisy) {
        double beta = 1 - from / to;
        LinearForm mean = clean.times(Math.sqrt(to) * beta / (1 - from))
            .plus(LinearForm.LATENT.times(Math.sqrt(from / to) * (1 - to) / (1 - from)));
        double variance = largeVariance ? beta : Math.max(MIN_VARIANCE, (1 - to) / (1 - from) * beta);
        return noisy ? mean.plus(LinearForm.NOISE.times(Math.sqrt(variance))) : mean;
    }
}
