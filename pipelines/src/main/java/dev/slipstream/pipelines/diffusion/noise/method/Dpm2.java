package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.NoiseSpace;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.AncestralStep;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.stream.Stream;

/**
 * DPM-Solver-2 of k-diffusion: the derivative in the middle of a step (in log sigma) leads over all of it. The last
 * step is Euler's.
 *
 * @param ancestral whether each step goes further down than wanted and fresh noise makes up for it
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022)</a>, who start from it
 */
public record Dpm2(KDiffusionSpacing spacing, CleanEstimate estimate, boolean ancestral) implements Sampler {
    public static Dpm2 read(SchedulerOptions options) {
        return read(options, false);
    }

    public static Dpm2 readAncestral(SchedulerOptions options) {
        return read(options, true);
    }

    private static Dpm2 read(SchedulerOptions options, boolean ancestral) {
        return new Dpm2(KDiffusionSpacing.readSecondOrder(options).withWholeTimesteps(), CleanEstimate.read(options),
            ancestral);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).boxed().flatMap(step -> step == steps - 1
            ? Stream.of(estimate.euler(path, step)) : halves(path, step)).toList();
        return estimate.table(spacing.name(ancestral ? "dpm2-ancestral" : "dpm2"),
            spacing.initialScale(path), rows);
    }

    private Stream<Row> halves(SigmaPath path, int step) {
        double from = path.sigma(step);
        double to = path.sigma(step + 1);
        AncestralStep goal = ancestral ? AncestralStep.between(from, to) : new AncestralStep(to, 0);
        double middle = Math.sqrt(from * goal.down());
        LinearForm derivative = estimate.noise(path.level(step));
        Row first = estimate.row(path, step, LinearForm.LATENT.plus(derivative.times(middle - from)), derivative);
        Mix level = NoiseSpace.VARIANCE_EXPLODING.level(middle);
        // Back to where the step began, and from there over all of it.
        LinearForm next = LinearForm.LATENT.minus(LinearForm.past(1).times(middle - from))
            .plus(estimate.noise(level).times(goal.down() - from)).plus(LinearForm.NOISE.times(goal.up()));
        return Stream.of(first, estimate.row(spacing.sigmas().timestep(middle), SigmaPath.inputScale(middle), level,
            next, LinearForm.ZERO).continued());
    }
}
