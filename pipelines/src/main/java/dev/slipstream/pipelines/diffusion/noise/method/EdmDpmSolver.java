package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.EdmSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.DpmOrder;
import dev.slipstream.pipelines.diffusion.noise.step.DpmStep;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/**
 * DPM-Solver++, multistep, of order 1 to 3, and its form with fresh noise, for models with the preconditioning of
 * Karras et al.
 *
 * @see DpmSolver
 */
public record EdmDpmSolver(EdmSpacing spacing, Prediction.Edm prediction, CleanEstimate estimate, DpmOrder order,
                           DpmStep formula) implements Sampler {
    public static EdmDpmSolver read(SchedulerOptions options) {
        DpmStep formula = DpmStep.read(options, "dpmsolver++", "sde-dpmsolver++", "deis");
        DpmOrder order = DpmOrder.read(options);
        if (order.most() == 3 && formula.stochastic()) {
            throw options.error("solver_order is 3, but this method has orders 1 and 2 only with fresh noise");
        }
        Prediction.Edm prediction = Prediction.Edm.read(options);
        return new EdmDpmSolver(EdmSpacing.read(options), prediction, CleanEstimate.thresholded(options, prediction),
            order, formula);
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
            LinearForm output = estimate.clean(path.level(step));
            return estimate.row(path.timestep(step), prediction.inputScale(path.sigma(step)), path.level(step),
                DpmSolver.step(formula, path, step, order.of(path, step, first), output), output);
        }).toList();
        return estimate.table(name, spacing.initialScale(), rows);
    }
}
