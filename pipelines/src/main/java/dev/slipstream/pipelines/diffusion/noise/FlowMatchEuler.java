package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Euler's method along the straight paths of flow matching, with one shift of the noise levels for all image sizes.
 *
 * @param trainedTimesteps what a noise level of 1 is called as a timestep
 * @param shift more than 1 spends more steps at high noise
 * @see <a href="https://arxiv.org/abs/2403.03206">Esser et al. (2024), equation 23</a>
 */
record FlowMatchEuler(int trainedTimesteps, double shift) implements Sampler {
    static FlowMatchEuler read(SchedulerOptions options) {
        for (String name : List.of("use_dynamic_shifting", "invert_sigmas", "stochastic_sampling")) {
            options.refuse(name, "set it to false (only a static shift is supported)");
        }
        options.refuse("use_karras_sigmas", "set it to false");
        options.refuseOtherSigmas();
        if (!options.isAbsent("shift_terminal")) {
            throw options.error("shift_terminal is set, which is not supported; remove it");
        }
        double shift = options.number("shift", 1);
        if (!(shift > 0 && shift < Double.POSITIVE_INFINITY)) {
            throw options.error("shift is " + shift + ", but must be a positive number");
        }
        return new FlowMatchEuler(options.positive("num_train_timesteps", 1000), shift);
    }

    @Override
    public NoiseTable table(int steps, int first) {
        List<Row> rows = IntStream.range(first, steps).mapToObj(step -> {
            double from = sigma(steps, step);
            double to = step == steps - 1 ? 0 : sigma(steps, step + 1);
            NoiseLevel level = NoiseLevel.onLine(from);
            Terms next = PredictionType.FLOW.transfer(level, NoiseLevel.onLine(to));
            return new Row(from * trainedTimesteps, 1, next.next(), Linear.ZERO,
                PredictionType.FLOW.clean(level).linear(), level.mix());
        }).toList();
        return new NoiseTable("flow-match-euler", 1, rows);
    }

    /** As in diffusers, the least trained level is shifted, and then shifted again with all others. */
    private double sigma(int steps, int step) {
        double least = shifted(1.0 / trainedTimesteps);
        return shifted(steps == 1 ? 1 : 1 + (least - 1) * step / (steps - 1));
    }

    private double shifted(double sigma) {
        return shift * sigma / (1 + (shift - 1) * sigma);
    }
}
