package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.Arrays;
import java.util.List;

/**
 * DPM-Solver++, multistep, of order 1 to 3, and its form with fresh noise (SDE) of order 1 and 2.
 *
 * @param usedTimesteps how many of the trained timesteps, from 0 on, are clean enough to be used
 * @param end the sigma after the last step
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al. (2022), algorithm 2</a>
 */
record DpmSolver(SigmaSchedule sigmas, PredictionType prediction, TimestepSpacing spacing, int offset,
                 KarrasSpacing karras, int usedTimesteps, double end, DpmOrder order, DpmStep formula)
        implements Sampler {
    static DpmSolver read(SchedulerOptions options) {
        options.refuse("thresholding", "set it to false (latents are not thresholded)");
        options.refuseOtherSigmas();
        if (options.text("variance_type", "").startsWith("learned")) {
            throw options.error("variance_type is learned, but predictions of the variance are not supported");
        }
        SigmaSchedule sigmas = TrainingSchedule.read(options).sigmas();
        int clipped = sigmas.below(options.number("lambda_min_clipped", Double.NEGATIVE_INFINITY));
        if (clipped == sigmas.timesteps()) {
            throw options.error("lambda_min_clipped leaves no timestep");
        }
        DpmStep formula = DpmStep.read(options);
        return new DpmSolver(sigmas, PredictionType.read(options), TimestepSpacing.read(options, "linspace"),
            options.integer("steps_offset", 0), KarrasSpacing.read(options), sigmas.timesteps() - clipped,
            sigmas.end(options), DpmOrder.read(options, formula), formula);
    }

    @Override
    public int trainedTimesteps() {
        return sigmas.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = karras.name("dpm++" + order.most() + "m" + (formula.stochastic() ? "-sde" : ""));
        SigmaPath path = path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> row(path, step, first)).toList();
        return new NoiseTable(name, 1, rows);
    }

    private SigmaPath path(int steps) {
        if (karras.used()) {
            double[] levels = karras.between(sigmas.max(), sigmas.min(), steps);
            return new SigmaPath(Arrays.stream(levels).map(sigmas::timestep).map(Math::rint).toArray(), levels, end);
        }
        double[] timesteps = Arrays.stream(spacing.solverTimesteps(sigmas.timesteps(), usedTimesteps, steps, offset))
            .asDoubleStream().toArray();
        return new SigmaPath(timesteps, Arrays.stream(timesteps).map(sigmas::at).toArray(), end);
    }

    private Row row(SigmaPath path, int step, int first) {
        NoiseLevel level = NoiseLevel.ofRatio(path.sigma(step));
        Terms estimate = prediction.clean(level);
        // A Karras path that ends at the least sigma reaches it one step early: nothing is left to do then.
        boolean stays = path.sigma(step) == path.sigma(step + 1);
        int steps = path.steps();
        DpmStep.Weights weights = formula.weights(path, step, stays ? 1 : order.of(step, first, steps, end == 0));
        Terms next = Terms.LATENT.times(weights.latent()).plus(estimate.times(weights.estimates().getFirst()));
        List<Double> past = weights.estimates().subList(1, weights.estimates().size());
        return new Row(path.timestep(step), 1, next.next(past, weights.noise()), estimate.linear(), estimate.linear(),
            level.mix());
    }
}
