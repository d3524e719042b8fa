package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSchedule;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SolverSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.DpmOrder;
import dev.slipstream.pipelines.diffusion.noise.step.DpmStep;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;

/**
 * DPM-Solver and DPM-Solver++, multistep, of order 1 to 3, and their forms with fresh noise (SDE): derivatives of the
 * model's output are differences between the last steps.
 *
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al. (2022), algorithm 2</a>
 */
public record DpmSolver(SolverSpacing spacing, CleanEstimate estimate, DpmOrder order, DpmStep formula)
        implements Sampler {
    public static DpmSolver read(SchedulerOptions options) {
        options.refuseLearnedVariance();
        DpmStep formula =
            DpmStep.read(options, "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver", "deis");
        DpmOrder order = DpmOrder.read(options);
        if (order.most() == 3 && formula.predictsNoise() && formula.stochastic()) {
            throw options.error("solver_order is 3, but sde-dpmsolver has orders 1 and 2 only");
        }
        SigmaSchedule sigmas = TrainingSchedule.readRescaled(options).sigmas();
        return new DpmSolver(SolverSpacing.read(options, sigmas, SigmaSpacing.Kind.ALL),
            CleanEstimate.thresholded(options, Prediction.readWithFlow(options)), order, formula);
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = spacing.name(formula.name(order.most(), "m"));
        SigmaPath path = spacing.path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> {
            LinearForm output = formula.output(estimate, path.level(step));
            return estimate.row(path.timestep(step), 1, path.level(step),
                step(formula, path, step, order.of(path, step, first), output), output);
        }).toList();
        return estimate.table(name, 1, rows);
    }

    /** @param output that of the model in this step; those before are remembered */
    public static LinearForm step(DpmStep formula, SigmaPath path, int step, int order, LinearForm output) {
        DpmStep.Weights weights = formula.weights(path.level(step), path.level(step + 1));
        LinearForm next = LinearForm.LATENT.times(weights.latent()).plus(output.times(weights.output()))
            .plus(LinearForm.NOISE.times(weights.noise()));
        if (order == 1) {
            return next;
        }
        double length = length(path, step);
        double near = length(path, step - 1) / length;
        LinearForm slope = output.minus(LinearForm.past(1)).times(1 / near);
        if (order == 2) {
            return next.plus(slope.times(weights.slope()));
        }
        double far = length(path, step - 2) / length;
        LinearForm before = LinearForm.past(1).minus(LinearForm.past(2)).times(1 / far);
        LinearForm bend = slope.minus(before).times(1 / (near + far));
        return next.plus(slope.plus(bend.times(near)).times(weights.firstDerivative()))
            .plus(bend.times(weights.secondDerivative()));
    }

    private static double length(SigmaPath path, int step) {
        return Math.log(path.ratio(step) / path.ratio(step + 1));
    }
}
