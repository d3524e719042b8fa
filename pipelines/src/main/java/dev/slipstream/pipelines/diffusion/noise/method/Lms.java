package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/**
 * The linear multistep method of k-diffusion: a polynomial through the last derivatives is integrated over the step.
 *
 * <p>Where it begins late, for image to image, diffusers works out the weights of as many derivatives as it would have
 * seen by then, and takes those of the ones that it has seen.
 *
 * @param order how many derivatives, 1 to 4; diffusers uses 4
 * @param restarts whether a late beginning has low orders first, as an early one has
 */
public record Lms(KDiffusionSpacing spacing, CleanEstimate estimate, int order, boolean restarts) implements Sampler {
    private static final int ORDER = 4;
    /** Two points of Gauss and Legendre integrate cubics, and so any order up to 4, without error. */
    private static final double NODE = 1 / Math.sqrt(3);

    public static Lms read(SchedulerOptions options) {
        return new Lms(KDiffusionSpacing.read(options).withoutKarrasBounds(), CleanEstimate.read(options), ORDER,
            false);
    }

    public static Lms readRestarting(SchedulerOptions options) {
        Lms read = read(options);
        return new Lms(read.spacing, read.estimate, read.order, true);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = spacing.name(restarts ? "lms-restart" : "lms");
        SigmaPath path = spacing.path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> row(path, step, first)).toList();
        return estimate.table(name, spacing.initialScale(path), rows);
    }

    private Row row(SigmaPath path, int step, int first) {
        int seen = step - first + 1;
        int used = Math.min(restarts ? seen : step + 1, order);
        LinearForm derivative = estimate.noise(path.level(step));
        LinearForm next = LinearForm.LATENT;
        for (int which = 0; which < Math.min(used, seen); which++) {
            LinearForm past = which == 0 ? derivative : LinearForm.past(which);
            next = next.plus(past.times(weight(path, step, used, which)));
        }
        return estimate.row(path, step, next, derivative);
    }

    /** The integral, over the step, of Lagrange's polynomial that is 1 at {@code which} steps back. */
    private static double weight(SigmaPath path, int step, int used, int which) {
        double middle = (path.sigma(step + 1) + path.sigma(step)) / 2;
        double half = (path.sigma(step + 1) - path.sigma(step)) / 2;
        return half * (lagrange(path, step, used, which, middle - half * NODE)
            + lagrange(path, step, used, which, middle + half * NODE));
    }

    private static double lagrange(SigmaPath path, int step, int used, int which, double sigma) {
        double product = 1;
        for (int other = 0; other < used; other++) {
            if (other != which) {
                double root = path.sigma(step - other);
                product *= (sigma - root) / (path.sigma(step - which) - root);
            }
        }
        return product;
    }
}
