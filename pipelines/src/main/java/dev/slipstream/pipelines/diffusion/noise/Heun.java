package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.stream.Stream;

/**
 * Heun's method on the probability flow, without churn: Euler's step is taken, and then half of the change of the
 * derivative over it. The last step is Euler's.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
record Heun(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    static Heun read(SchedulerOptions options) {
        return new Heun(KDiffusionSpacing.read(options, KDiffusionSpacing.secondOrderSigmas(options, "exp")),
            CleanEstimate.clipped(options, PredictionType.read(options)));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.sigmas().timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).boxed().flatMap(step -> step == steps - 1
            ? Stream.of(start(path, step)) : Stream.of(start(path, step), correction(path, step))).toList();
        return estimate.table(spacing.spacing().name("heun"), spacing.initialScale(path), rows);
    }

    private Row start(SigmaPath path, int step) {
        Terms derivative = estimate.noise(path.level(step));
        return estimate.row(path, step,
            Terms.LATENT.plus(derivative.times(path.sigma(step + 1) - path.sigma(step))), derivative);
    }

    private Row correction(SigmaPath path, int step) {
        Terms change = estimate.noise(path.level(step + 1)).minus(Terms.past(1));
        return estimate.row(path, step + 1,
            Terms.LATENT.plus(change.times((path.sigma(step + 1) - path.sigma(step)) / 2)), Terms.ZERO).continued();
    }
}
