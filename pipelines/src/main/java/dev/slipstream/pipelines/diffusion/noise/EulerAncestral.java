package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.Arrays;
import java.util.List;

/**
 * Euler's method with ancestral noise, from k-diffusion: each step goes further down than wanted and fresh noise makes
 * up for it.
 */
record EulerAncestral(SigmaSchedule sigmas, PredictionType prediction, TimestepSpacing spacing, int offset)
        implements Sampler {
    static EulerAncestral read(SchedulerOptions options) {
        return new EulerAncestral(TrainingSchedule.read(options).sigmas(), PredictionType.read(options),
            TimestepSpacing.read(options, "linspace"), options.integer("steps_offset", 0));
    }

    @Override
    public int trainedTimesteps() {
        return sigmas.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        double[] timesteps = spacing.timesteps(sigmas.timesteps(), steps, offset);
        SigmaPath path = new SigmaPath(timesteps, Arrays.stream(timesteps).map(sigmas::at).toArray(), 0);
        List<Row> rows = path.from(first).mapToObj(step -> row(path, step)).toList();
        return new NoiseTable("euler-ancestral", path.initialScale(spacing), rows);
    }

    private Row row(SigmaPath path, int step) {
        double from = path.sigma(step);
        double to = path.sigma(step + 1);
        double down = to * to / from;
        double up = Math.sqrt(Math.max(0, to * to - down * down));
        Terms mean = prediction.transfer(path.level(step), NoiseLevel.varianceExploding(down));
        return new Row(path.timestep(step), path.inputScale(step), mean.next(List.of(), up), Linear.ZERO,
            prediction.clean(path.level(step)).linear(), path.level(step).mix());
    }
}
