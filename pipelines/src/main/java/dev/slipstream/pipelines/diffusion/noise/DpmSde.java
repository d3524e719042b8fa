package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.stream.Stream;

/**
 * DPM-Solver++ (SDE) of k-diffusion: an ancestral step to the middle (in log sigma), and from where it began another
 * over all of the way, with the clean image that was seen in the middle. The last step is Euler's.
 *
 * <p>Both add increments of one Brownian motion in sigma, so that of the whole step contains that of its first part.
 * diffusers draws them from a Brownian tree, whose numbers nothing else draws; their law is the same here.
 *
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al. (2022), DPM-Solver++</a>
 */
record DpmSde(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    static DpmSde read(SchedulerOptions options) {
        KDiffusionSpacing read = KDiffusionSpacing.read(options, KDiffusionSpacing.secondOrderSigmas(options));
        return new DpmSde(read.with(read.spacing().withoutKarrasBounds()),
            new CleanEstimate(PredictionType.read(options)));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.sigmas().timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps).requireDescending("dpm++sde");
        List<Row> rows = path.from(first).boxed().flatMap(step -> step == steps - 1
            ? Stream.of(estimate.euler(path, step)) : halves(path, step)).toList();
        return estimate.table(spacing.spacing().name("dpm++sde"), spacing.initialScale(path), rows);
    }

    private Stream<Row> halves(SigmaPath path, int step) {
        double from = path.sigma(step);
        double to = path.sigma(step + 1);
        double middle = Math.sqrt(from * to);
        NoiseLevel level = NoiseLevel.varianceExploding(middle);
        Terms half = step(from, middle, Terms.LATENT, estimate.clean(path.level(step)), Terms.NOISE);
        double shared = (from - middle) / (from - to);
        Terms whole = step(from, to, Terms.past(1), estimate.clean(level),
            Terms.noise(1).times(Math.sqrt(shared)).plus(Terms.NOISE.times(Math.sqrt(1 - shared))));
        return Stream.of(
            estimate.row(path, step, half, Terms.LATENT),
            estimate.row(spacing.sigmas().timestep(middle), SigmaPath.inputScale(middle), level, whole, Terms.ZERO)
                .continued());
    }

    private static Terms step(double from, double to, Terms start, Terms clean, Terms noise) {
        AncestralStep goal = AncestralStep.between(from, to);
        double kept = goal.down() / from;
        return start.times(kept).plus(clean.times(1 - kept)).plus(noise.times(goal.up()));
    }
}
