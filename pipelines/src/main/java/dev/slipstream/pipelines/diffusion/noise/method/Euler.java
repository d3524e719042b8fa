package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.EdmSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/**
 * Euler's method on the probability flow, without churn.
 *
 * @param continuousTime whether the denoiser is told {@code log(sigma)/4} as the timestep
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
public record Euler(KDiffusionSpacing spacing, CleanEstimate estimate, boolean continuousTime) implements Sampler {
    public static Euler read(SchedulerOptions options) {
        KDiffusionSpacing spacing = KDiffusionSpacing.readRescaled(options);
        CleanEstimate estimate = CleanEstimate.read(options);
        boolean logLinear = options.choice("interpolation_type", "linear", "linear", "log_linear").equals("log_linear");
        boolean continuous = options.choice("timestep_type", "discrete", "discrete", "continuous").equals("continuous");
        // diffusers heeds the type of timesteps for this prediction only.
        return new Euler(spacing.withEnd(logLinear,
            SigmaSchedule.endsClean(options) ? 0 : spacing.sigmas().min()), estimate,
            continuous && estimate.prediction() == Prediction.Type.VELOCITY);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).mapToObj(step -> estimate.row(
            continuousTime ? EdmSpacing.timestep(path.sigma(step)) : path.timestep(step),
            path.inputScale(step), path.level(step), estimate.transfer(path.level(step), path.level(step + 1)),
            LinearForm.ZERO)).toList();
        return estimate.table(spacing.name("euler"), spacing.initialScale(path), rows);
    }
}
