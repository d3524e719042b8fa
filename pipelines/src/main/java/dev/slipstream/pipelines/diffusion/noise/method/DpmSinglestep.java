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
 * DPM-Solver and DPM-Solver++, singlestep: every two or three steps lead over the same way once more, from where the
 * first of them began, with the derivatives that were seen on it.
 *
 * @param most the order of the last of them, 1 to 3
 * @param lowAtEnd whether the last steps are of low order where their number does not come out even
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al. (2022), algorithm 1</a>
 */
public record DpmSinglestep(SolverSpacing spacing, CleanEstimate estimate, int most, boolean lowAtEnd, DpmStep formula)
        implements Sampler {
    public static DpmSinglestep read(SchedulerOptions options) {
        options.refuseLearnedVariance();
        SigmaSchedule sigmas = TrainingSchedule.read(options).sigmas();
        return new DpmSinglestep(SolverSpacing.read(options, sigmas, SigmaSpacing.Kind.SOLVER).linspace(),
            CleanEstimate.thresholded(options, Prediction.readWithFlow(options)), DpmOrder.most(options),
            options.flag("lower_order_final", false),
            DpmStep.read(options, "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "deis"));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = spacing.name(formula.name(most, "s"));
        SigmaPath path = spacing.path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> {
            LinearForm output = formula.output(estimate, path.level(step));
            int order = order(step, first, steps);
            return estimate.row(path.timestep(step), 1, path.level(step),
                step(path, step, order, List.of(output, LinearForm.past(1), LinearForm.past(2)),
                    order == 1 ? LinearForm.LATENT : begin(path, step, order(step - 1, first, steps)),
                    LinearForm.NOISE), output);
        }).toList();
        return estimate.table(name, 1, rows);
    }

    /** Orders follow each other from 1 on; a last step that would end a round at sigma 0, or is left over, has 1. */
    private int order(int step, int first, int steps) {
        boolean low = lowAtEnd || spacing.endsClean() || steps % most != 0;
        boolean last = step == steps - 1;
        int order = last && (spacing.endsClean() || low && steps % most == 0) ? 1 : step % most + 1;
        return Math.min(order, step - first + 1);
    }

    /** The latents where the step before began, which has led from there to the present ones. */
    private LinearForm begin(SigmaPath path, int step, int orderBefore) {
        LinearForm rest = step(path, step - 1, orderBefore,
            List.of(LinearForm.past(1), LinearForm.past(2), LinearForm.past(3)), LinearForm.ZERO,
            LinearForm.pastNoise(1));
        double weight = weights(path, step - 1, orderBefore).latent();
        return LinearForm.LATENT.minus(rest).times(1 / weight);
    }

    private DpmStep.Weights weights(SigmaPath path, int step, int order) {
        return formula.weights(path.level(step - order + 1), path.level(step + 1));
    }

    /** @param outputs of the model in this step, the one before, and the one before that */
    private LinearForm step(SigmaPath path, int step, int order, List<LinearForm> outputs, LinearForm begin,
                            LinearForm noise) {
        DpmStep.Weights weights = weights(path, step, order);
        LinearForm origin = outputs.get(order - 1);
        LinearForm next = begin.times(weights.latent()).plus(origin.times(weights.output()))
            .plus(noise.times(weights.noise()));
        if (order == 1) {
            return next;
        }
        int start = step - order + 1;
        double whole = length(path, start, step + 1);
        double near = length(path, start, step) / whole;
        LinearForm slope = outputs.getFirst().minus(origin).times(1 / near);
        if (order == 2) {
            return next.plus(slope.times(weights.slope()));
        }
        if (!formula.heun()) {
            return next.plus(slope.times(weights.firstDerivative()));
        }
        double far = length(path, start, step - 1) / whole;
        LinearForm before = outputs.get(1).minus(origin).times(1 / far);
        LinearForm first = before.times(near).minus(slope.times(far)).times(1 / (near - far));
        LinearForm second = slope.minus(before).times(2 / (near - far));
        return next.plus(first.times(weights.firstDerivative())).plus(second.times(weights.secondDerivative()));
    }

    private static double length(SigmaPath path, int from, int to) {
        return Math.log(path.ratio(from) / path.ratio(to));
    }
}
