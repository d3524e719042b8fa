package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.stream.Stream;

/**
 * DPM-Solver-2 of k-diffusion: the derivative in the middle of a step (in log sigma) leads over all of it. The last
 * step is Euler's.
 *
 * @param ancestral whether each step goes further down than wanted and fresh noise makes up for it
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022)</a>, who start from it
 */
record Dpm2(KDiffusionSpacing spacing, CleanEstimate estimate, boolean ancestral) implements Sampler {
    static Dpm2 read(SchedulerOptions options) {
        return read(options, false);
    }

    static Dpm2 readAncestral(SchedulerOptions options) {
        return read(options, true);
    }

    private static Dpm2 read(SchedulerOptions options, boolean ancestral) {
        return new Dpm2(KDiffusionSpacing.read(options, KDiffusionSpacing.secondOrderSigmas(options))
            .withWholeTimesteps(), new CleanEstimate(PredictionType.read(options)), ancestral);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.sigmas().timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).boxed().flatMap(step -> step == steps - 1
            ? Stream.of(estimate.euler(path, step)) : halves(path, step)).toList();
        return estimate.table(spacing.spacing().name(ancestral ? "dpm2-ancestral" : "dpm2"),
            spacing.initialScale(path), rows);
    }

    private Stream<Row> halves(SigmaPath path, int step) {
        double from = path.sigma(step);
        double to = path.sigma(step + 1);
        AncestralStep goal = ancestral ? AncestralStep.between(from, to) : new AncestralStep(to, 0);
        double middle = Math.sqrt(from * goal.down());
        Terms derivative = estimate.noise(path.level(step));
        Row first = estimate.row(path, step, Terms.LATENT.plus(derivative.times(middle - from)), derivative);
        NoiseLevel level = NoiseLevel.varianceExploding(middle);
        // Back to where the step began, and from there over all of it.
        Terms next = Terms.LATENT.minus(Terms.past(1).times(middle - from))
            .plus(estimate.noise(level).times(goal.down() - from)).plus(Terms.NOISE.times(goal.up()));
        return Stream.of(first, estimate.row(spacing.sigmas().timestep(middle), SigmaPath.inputScale(middle), level,
            next, Terms.ZERO).continued());
    }
}
