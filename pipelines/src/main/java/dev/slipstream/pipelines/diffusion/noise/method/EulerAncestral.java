package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.NoiseSpace;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.AncestralStep;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/**
 * Euler's method with ancestral noise, from k-diffusion: each step goes further down than wanted and fresh noise makes
 * up for it.
 */
public record EulerAncestral(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    public static EulerAncestral read(SchedulerOptions options) {
        return new EulerAncestral(KDiffusionSpacing.readRescaled(options).ofTimesteps(), CleanEstimate.read(options));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).mapToObj(step -> {
            AncestralStep goal = AncestralStep.between(path.sigma(step), path.sigma(step + 1));
            LinearForm mean = estimate.transfer(path.level(step), NoiseSpace.VARIANCE_EXPLODING.level(goal.down()));
            return estimate.row(path, step, mean.plus(LinearForm.NOISE.times(goal.up())), LinearForm.ZERO);
        }).toList();
        return estimate.table("euler-ancestral", spacing.initialScale(path), rows);
    }
}
