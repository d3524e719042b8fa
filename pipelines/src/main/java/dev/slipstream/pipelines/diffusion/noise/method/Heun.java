package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.stream.Stream;

/**
 * Heun's method on the probability flow, without churn: Euler's step is taken, and then half of the change of the
 * derivative over it. The last step is Euler's.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
public record Heun(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    public static Heun read(SchedulerOptions options) {
        return new Heun(KDiffusionSpacing.readSecondOrder(options, "exp"),
            CleanEstimate.clipped(options));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).boxed().flatMap(step -> step == steps - 1
            ? Stream.of(start(path, step)) : Stream.of(start(path, step), correction(path, step))).toList();
        return estimate.table(spacing.name("heun"), spacing.initialScale(path), rows);
    }

    private Row start(SigmaPath path, int step) {
        LinearForm derivative = estimate.noise(path.level(step));
        return estimate.row(path, step,
            LinearForm.LATENT.plus(derivative.times(path.sigma(step + 1) - path.sigma(step))), derivative);
    }

    private Row correction(SigmaPath path, int step) {
        LinearForm change = estimate.noise(path.level(step + 1)).minus(LinearForm.past(1));
        return estimate.row(path, step + 1,
            LinearForm.LATENT.plus(change.times((path.sigma(step + 1) - path.sigma(step)) / 2)), LinearForm.ZERO)
            .continued();
    }
}
