package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.FlowShift;
import dev.slipstream.pipelines.diffusion.noise.schedule.NoiseSpace;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing.Kind;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Euler's method along the straight paths of flow matching.
 *
 * @param trainedTimesteps what a noise level of 1 is called as a timestep
 * @param shift that of the noise levels: more than 0 spends more steps at high noise
 * @param terminal the sigma to which the levels are stretched; 0 to leave them
 * @param inverted whether the model calls noise 0 and the image 1
 * @param stochastic whether each step goes to the clean image and back with fresh noise
 * @see <a href="https://arxiv.org/abs/2403.03206">Esser et al. (2024), equation 23</a>
 */
public record FlowMatchEuler(int trainedTimesteps, FlowShift shift, SigmaSpacing spacing, double terminal,
                             boolean inverted, boolean stochastic) implements Sampler {
    public static FlowMatchEuler read(SchedulerOptions options) {
        return new FlowMatchEuler(options.positive("num_train_timesteps", 1000), FlowShift.read(options),
            SigmaSpacing.read(options, Kind.COMMON), FlowShift.terminal(options), options.flag("invert_sigmas", false),
            options.flag("stochastic_sampling", false));
    }

    @Override
    public NoiseTable table(int steps, int first) {
        double[] sigmas = sigmas(steps);
        List<Row> rows = IntStream.range(first, steps).mapToObj(step -> row(sigmas, step)).toList();
        return new NoiseTable(spacing.name("flow-match-euler"), 1, rows);
    }

    /** One more than steps. */
    private double[] sigmas(int steps) {
        double[] sigmas = FlowShift.stretched(shift.sigmas(steps, trainedTimesteps), terminal);
        double[] spaced = spacing.is(Kind.TIMESTEPS) ? sigmas
            : spacing.levels(sigmas[0], sigmas[steps - 1], steps);
        return IntStream.rangeClosed(0, steps).mapToDouble(step -> {
            double sigma = step == steps ? 0 : spaced[step];
            return inverted ? 1 - sigma : sigma;
        }).toArray();
    }

    private Row row(double[] sigmas, int step) {
        double from = sigmas[step];
        double to = sigmas[step + 1];
        Mix level = NoiseSpace.STRAIGHT.level(from);
        // Where the image is at 1, the velocity points to it.
        LinearForm clean = inverted ? LinearForm.LATENT.plus(LinearForm.PREDICTION.times(1 - from))
            : Prediction.Type.FLOW.clean(level);
        LinearForm next = LinearForm.LATENT.plus(LinearForm.PREDICTION.times(to - from));
        if (stochastic) {
            next = Prediction.Type.FLOW.clean(level).times(1 - to).plus(LinearForm.NOISE.times(to));
        }
        return new CleanEstimate(Prediction.Type.FLOW)
            .row(from * trainedTimesteps, 1, level, next, LinearForm.ZERO, clean);
    }
}
