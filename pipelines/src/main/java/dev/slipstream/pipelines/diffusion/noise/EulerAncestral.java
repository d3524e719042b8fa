package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;

/**
 * Euler's method with ancestral noise, from k-diffusion: each step goes further down than wanted and fresh noise makes
 * up for it.
 */
record EulerAncestral(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    static EulerAncestral read(SchedulerOptions options) {
        SigmaSchedule sigmas = TrainingSchedule.readRescaled(options).sigmas();
        return new EulerAncestral(KDiffusionSpacing.read(options, sigmas).with(SigmaSpacing.OF_TIMESTEPS),
            new CleanEstimate(PredictionType.read(options)));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.sigmas().timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).mapToObj(step -> {
            AncestralStep goal = AncestralStep.between(path.sigma(step), path.sigma(step + 1));
            Terms mean = estimate.transfer(path.level(step), NoiseLevel.varianceExploding(goal.down()));
            return estimate.row(path, step, mean.plus(Terms.NOISE.times(goal.up())), Terms.ZERO);
        }).toList();
        return estimate.table("euler-ancestral", spacing.initialScale(path), rows);
    }
}
