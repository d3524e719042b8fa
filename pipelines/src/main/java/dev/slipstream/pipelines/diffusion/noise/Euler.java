package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;

/**
 * Euler's method on the probability flow, without churn.
 *
 * @param continuousTime whether the denoiser is told {@code log(sigma)/4} as the timestep
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
record Euler(KDiffusionSpacing spacing, CleanEstimate estimate, boolean continuousTime) implements Sampler {
    static Euler read(SchedulerOptions options) {
        SigmaSchedule sigmas = TrainingSchedule.readRescaled(options).sigmas();
        PredictionType prediction = PredictionType.read(options);
        boolean logLinear = options.choice("interpolation_type", "linear", "linear", "log_linear").equals("log_linear");
        boolean continuous = options.choice("timestep_type", "discrete", "discrete", "continuous").equals("continuous");
        // diffusers heeds the type of timesteps for this prediction only.
        return new Euler(KDiffusionSpacing.read(options, sigmas).withEnd(logLinear,
            SigmaSchedule.endsClean(options) ? 0 : sigmas.min()), new CleanEstimate(prediction),
            continuous && prediction == PredictionType.VELOCITY);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.sigmas().timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).mapToObj(step -> estimate.row(
            continuousTime ? EdmPreconditioning.timestep(path.sigma(step)) : path.timestep(step),
            path.inputScale(step), path.level(step), estimate.transfer(path.level(step), path.level(step + 1)),
            Terms.ZERO)).toList();
        return estimate.table(spacing.spacing().name("euler"), spacing.initialScale(path), rows);
    }
}
