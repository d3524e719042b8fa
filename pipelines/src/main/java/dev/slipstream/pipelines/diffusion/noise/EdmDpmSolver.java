package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;

/**
 * DPM-Solver++, multistep, of order 1 to 3, and its form with fresh noise, for models with the preconditioning of
 * Karras et al.
 *
 * @see DpmSolver
 */
record EdmDpmSolver(EdmSpacing spacing, CleanEstimate estimate, DpmOrder order, DpmStep formula) implements Sampler {
    static EdmDpmSolver read(SchedulerOptions options) {
        DpmStep formula = DpmStep.read(options, "dpmsolver++", "sde-dpmsolver++", "deis");
        DpmOrder order = DpmOrder.read(options);
        if (order.most() == 3 && formula.stochastic()) {
            throw options.error("solver_order is 3, but this method has orders 1 and 2 only with fresh noise");
        }
        EdmSpacing spacing = EdmSpacing.read(options);
        return new EdmDpmSolver(spacing, CleanEstimate.thresholded(options, spacing.preconditioning()), order, formula);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = "edm-" + formula.name(order.most(), "m");
        SigmaPath path = spacing.path(steps, spacing.min()).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> {
            Terms output = estimate.clean(path.level(step));
            return estimate.row(path.timestep(step), spacing.inputScale(path.sigma(step)), path.level(step),
                DpmSolver.step(formula, path, step, order.of(path, step, first), output), output);
        }).toList();
        return estimate.table(name, spacing.initialScale(), rows);
    }
}
