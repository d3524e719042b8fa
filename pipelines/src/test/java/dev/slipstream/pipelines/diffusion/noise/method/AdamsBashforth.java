package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.KDiffusionSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/** The method of the guide in this package's description, word for word. */
public record AdamsBashforth(KDiffusionSpacing spacing, CleanEstimate estimate) implements Sampler {
    private static final double[][] WEIGHTS = {
        {1}, {3.0 / 2, -1.0 / 2}, {23.0 / 12, -16.0 / 12, 5.0 / 12}, {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24}};

    public static AdamsBashforth read(SchedulerOptions options) {
        return new AdamsBashforth(KDiffusionSpacing.read(options), CleanEstimate.read(options));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps);
        List<Row> rows = path.from(first).mapToObj(step ->
            row(path, step, WEIGHTS[Math.min(step - first, WEIGHTS.length - 1)])).toList();
        return estimate.table(spacing.name("adams-bashforth"), spacing.initialScale(path), rows);
    }

    private Row row(SigmaPath path, int step, double[] weights) {
        LinearForm derivative = estimate.noise(path.level(step));
        LinearForm slope = derivative.times(weights[0]);
        for (int back = 1; back < weights.length; back++) {
            slope = slope.plus(LinearForm.past(back).times(weights[back]));
        }
        double length = path.sigma(step + 1) - path.sigma(step);
        return estimate.row(path, step, LinearForm.LATENT.plus(slope.times(length)), derivative);
    }
}
