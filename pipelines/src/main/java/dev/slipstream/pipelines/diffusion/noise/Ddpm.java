package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Next;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;

/**
 * DDPM's ancestral sampling, which adds fresh noise in every step.
 *
 * @param largeVariance whether the noise has the variance of the forward step, not that of the posterior
 * @see <a href="https://arxiv.org/abs/2006.11239">Ho et al. (2020), equations 6 and 7</a>
 */
record Ddpm(TrainingSchedule training, PredictionType prediction, TimestepSpacing spacing, int offset,
            boolean largeVariance) implements Sampler {
    /** diffusers' least variance. */
    private static final double MIN_VARIANCE = 1e-20;

    static Ddpm read(SchedulerOptions options) {
        options.refuseClipping(true);
        TrainingSchedule training = TrainingSchedule.read(options);
        PredictionType prediction = PredictionType.read(options);
        training.refuseNoSignal(prediction, "ddpm");
        return new Ddpm(training, prediction, TimestepSpacing.read(options, "leading"),
            options.integer("steps_offset", 0),
            options.choice("variance_type", "fixed_small", "fixed_small", "fixed_large").equals("fixed_large"));
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        int stride = training.timesteps() / steps;
        List<Row> rows = new ArrayList<>(steps);
        for (int timestep : spacing.wholeTimesteps(training.timesteps(), steps, first, offset)) {
            double from = training.alphaCumprod(timestep);
            double to = timestep < stride ? 1 : training.alphaCumprod(timestep - stride);
            NoiseLevel level = NoiseLevel.variancePreserving(from);
            Terms estimate = prediction.clean(level);
            rows.add(new Row(timestep, 1, next(estimate, from, to, timestep > 0), Linear.ZERO, estimate.linear(),
                level.mix()));
        }
        return new NoiseTable("ddpm", 1, rows);
    }

    private Next next(Terms estimate, double from, double to, boolean noisy) {
        double beta = 1 - from / to;
        Terms mean = estimate.times(Math.sqrt(to) * beta / (1 - from))
            .plus(Terms.LATENT.times(Math.sqrt(from / to) * (1 - to) / (1 - from)));
        double variance = largeVariance ? beta : Math.max(MIN_VARIANCE, (1 - to) / (1 - from) * beta);
        return mean.next(List.of(), noisy ? Math.sqrt(variance) : 0);
    }
}
