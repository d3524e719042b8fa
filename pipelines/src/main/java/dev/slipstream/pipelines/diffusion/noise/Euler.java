package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Euler's method on the probability flow, without churn.
 *
 * @param logLinear whether the sigmas are spaced evenly in their logarithm, instead of following the timesteps
 * @param karras whether and between which sigmas the steps are spaced as Karras et al. do
 * @param end the sigma after the last step
 * @param continuousTime whether the denoiser is told {@code log(sigma)/4} as the timestep
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
record Euler(SigmaSchedule sigmas, PredictionType prediction, TimestepSpacing spacing, int offset, boolean logLinear,
             KarrasSpacing karras, double end, boolean continuousTime) implements Sampler {
    static Euler read(SchedulerOptions options) {
        options.refuseOtherSigmas();
        SigmaSchedule sigmas = TrainingSchedule.read(options).sigmas();
        PredictionType prediction = PredictionType.read(options);
        boolean continuous = options.choice("timestep_type", "discrete", "discrete", "continuous").equals("continuous");
        return new Euler(sigmas, prediction, TimestepSpacing.read(options, "linspace"),
            options.integer("steps_offset", 0),
            options.choice("interpolation_type", "linear", "linear", "log_linear").equals("log_linear"),
            KarrasSpacing.read(options), sigmas.end(options),
            // diffusers heeds the type for this prediction only.
            continuous && prediction == PredictionType.VELOCITY);
    }

    @Override
    public int trainedTimesteps() {
        return sigmas.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = path(steps);
        List<Row> rows = path.from(first).mapToObj(step -> new Row(path.timestep(step), path.inputScale(step),
            prediction.transfer(path.level(step), path.level(step + 1)).next(), Linear.ZERO,
            prediction.clean(path.level(step)).linear(), path.level(step).mix())).toList();
        return new NoiseTable(karras.name("euler"), path.initialScale(spacing), rows);
    }

    private SigmaPath path(int steps) {
        double[] timesteps = spacing.timesteps(sigmas.timesteps(), steps, offset);
        double[] levels = logLinear ? logLinear(steps) : Arrays.stream(timesteps).map(sigmas::at).toArray();
        if (karras.used()) {
            levels = karras.between(levels[0], levels[levels.length - 1], steps);
            timesteps = Arrays.stream(levels).map(sigmas::timestep).toArray();
        }
        if (continuousTime) {
            double[] chosen = levels;
            Arrays.setAll(timesteps, step -> Math.log(chosen[step]) / 4);
        }
        return new SigmaPath(timesteps, levels, end);
    }

    /** One more than steps: these end at the least trained sigma. */
    private double[] logLinear(int steps) {
        double first = Math.log(sigmas.max());
        double last = Math.log(sigmas.min());
        return IntStream.rangeClosed(0, steps).mapToDouble(step -> Math.exp(first + (last - first) * step / steps))
            .toArray();
    }
}
