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
 * DPM-Solver++ (SDE) of k-diffusion: an ancestral step to the middle (in log sigma), and from where it began another
 * over all of the way, with the clean image that was seen in the middle. The last step is Euler's.
 *
 * <p>Both add increments of one Brownian motion in sigma, so that of the whole step contains that of its first part.
 * diffusers draws them from a Brownian tree, whose numbers nothing else draws; their law is the same here.
 *
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al. (2022), DPM-Solver++</a>
 */
public record DpmSde(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    public static DpmSde read(SchedulerOptions options) {
        return new DpmSde(KDiffusionSpacing.readSecondOrder(options).withoutKarrasBounds(),
            CleanEstimate.read(options));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps).requireDescending("dpm++sde");
        List<Row> rows = path.from(first).boxed().flatMap(step -> step == steps - 1
            ? Stream.of(estimate.euler(path, step)) : halves(path, step)).toList();
        return estimate.table(spacing.name("dpm++sde"), spacing.initialScale(path), rows);
    }

    private Stream<Row> halves(SigmaPath path, int step) {
        double from = path.sigma(step);
        double to = path.sigma(step + 1);
        double middle = Math.sqrt(from * to);
        Mix level = NoiseSpace.VARIANCE_EXPLODING.level(middle);
        LinearForm half = step(from, middle, LinearForm.LATENT, estimate.clean(path.level(step)), LinearForm.NOISE);
        double shared = (from - middle) / (from - to);
        LinearForm whole = step(from, to, LinearForm.past(1), estimate.clean(level),
            LinearForm.pastNoise(1).times(Math.sqrt(shared)).plus(LinearForm.NOISE.times(Math.sqrt(1 - shared))));
        return Stream.of(
            estimate.row(path, step, half, LinearForm.LATENT),
            estimate.row(spacing.sigmas().timestep(middle), SigmaPath.inputScale(middle), level, whole, LinearForm.ZERO)
                .continued());
    }

    private static LinearForm step(double from, double to, LinearForm start, LinearForm clean, LinearForm noise) {
        AncestralStep goal = AncestralStep.between(from, to);
        double kept = goal.down() / from;
        return start.times(kept).plus(clean.times(1 - kept)).plus(noise.times(goal.up()));
    }
}
