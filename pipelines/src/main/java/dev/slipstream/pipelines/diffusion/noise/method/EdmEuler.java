package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.EdmSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/**
 * Euler's method for models with the preconditioning of Karras et al., without churn.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
public record EdmEuler(EdmSpacing spacing, Prediction.Edm prediction) implements Sampler {
    public static EdmEuler read(SchedulerOptions options) {
        return new EdmEuler(EdmSpacing.read(options), Prediction.Edm.read(options));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        CleanEstimate estimate = new CleanEstimate(prediction);
        SigmaPath path = spacing.path(steps, Double.NaN);
        List<Row> rows = path.from(first).mapToObj(step -> estimate.row(path.timestep(step),
            prediction.inputScale(path.sigma(step)), path.level(step),
            estimate.transfer(path.level(step), path.level(step + 1)), LinearForm.ZERO)).toList();
        return estimate.table("edm-euler", spacing.initialScale(), rows);
    }
}
