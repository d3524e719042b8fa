package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;

/**
 * Euler's method for models with the preconditioning of Karras et al., without churn.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022), algorithm 2</a>
 */
record EdmEuler(EdmSpacing spacing, CleanEstimate estimate) implements Sampler {
    static EdmEuler read(SchedulerOptions options) {
        EdmSpacing spacing = EdmSpacing.read(options);
        return new EdmEuler(spacing, new CleanEstimate(spacing.preconditioning()));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        SigmaPath path = spacing.path(steps, Double.NaN);
        List<Row> rows = path.from(first).mapToObj(step -> estimate.row(path.timestep(step),
            spacing.inputScale(path.sigma(step)), path.level(step),
            estimate.transfer(path.level(step), path.level(step + 1)), Terms.ZERO)).toList();
        return estimate.table("edm-euler", spacing.initialScale(), rows);
    }
}
