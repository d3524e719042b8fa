package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Next;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The linear multistep method of k-diffusion: a polynomial through the last derivatives is integrated over the step.
 *
 * @param order how many derivatives, 1 to 4; diffusers uses 4
 */
record Lms(SigmaSchedule sigmas, PredictionType prediction, TimestepSpacing spacing, int offset, KarrasSpacing karras,
           int order) implements Sampler {
    private static final int ORDER = 4;
    /** Two points of Gauss and Legendre integrate cubics, and so any order up to 4, without error. */
    private static final double NODE = 1 / Math.sqrt(3);

    static Lms read(SchedulerOptions options) {
        options.refuseOtherSigmas();
        TrainingSchedule training = TrainingSchedule.read(options);
        training.refuseZeroTerminalSnr("lms");
        // diffusers gives this class no sigma_min and sigma_max.
        KarrasSpacing karras = new KarrasSpacing(options.flag("use_karras_sigmas", false), Double.NaN, Double.NaN);
        return new Lms(training.sigmas(), PredictionType.read(options), TimestepSpacing.read(options, "linspace"),
            options.integer("steps_offset", 0), karras, ORDER);
    }

    @Override
    public int trainedTimesteps() {
        return sigmas.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        double[] timesteps = spacing.timesteps(sigmas.timesteps(), steps, offset);
        double[] levels = Arrays.stream(timesteps).map(sigmas::at).toArray();
        if (karras.used()) {
            levels = karras.between(levels[0], levels[steps - 1], steps);
            timesteps = Arrays.stream(levels).map(sigmas::timestep).toArray();
        }
        SigmaPath path = new SigmaPath(timesteps, levels, 0).requireDescending("lms");
        List<Row> rows = path.from(first).mapToObj(step -> row(path, step, first)).toList();
        return new NoiseTable(karras.name("lms"), path.initialScale(spacing), rows);
    }

    private Row row(SigmaPath path, int step, int first) {
        int used = Math.min(step - first + 1, order);
        List<Double> weights = IntStream.range(0, used).mapToObj(which -> weight(path, step, used, which)).toList();
        Terms derivative = prediction.noise(path.level(step));
        Next next = Terms.LATENT.plus(derivative.times(weights.getFirst())).next(weights.subList(1, used), 0);
        return new Row(path.timestep(step), path.inputScale(step), next, derivative.linear(),
            prediction.clean(path.level(step)).linear(), path.level(step).mix());
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
