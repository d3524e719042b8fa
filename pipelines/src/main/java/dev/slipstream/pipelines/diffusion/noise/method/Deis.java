package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSchedule;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SolverSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.DpmOrder;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.stream.IntStream;

/**
 * DEIS in log rho (rho is the ratio of noise to image), multistep, of order 1 to 3: a polynomial in log rho through the
 * last noise estimates is integrated over the step.
 *
 * @see <a href="https://arxiv.org/abs/2204.13902">Zhang and Chen (2022), equation 15</a>
 */
public record Deis(SolverSpacing spacing, CleanEstimate estimate, DpmOrder order) implements Sampler {
    public static Deis read(SchedulerOptions options) {
        SigmaSchedule sigmas = TrainingSchedule.read(options).sigmas();
        return new Deis(SolverSpacing.read(options, sigmas, SigmaSpacing.Kind.SOLVER).endingNoisy(),
            CleanEstimate.thresholded(options, Prediction.readWithFlow(options)),
            new DpmOrder(DpmOrder.most(options), options.flag("lower_order_final", true), false));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = spacing.name("deis");
        SigmaPath path = spacing.path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> {
            LinearForm noise = estimate.noise(path.level(step));
            return estimate.row(path.timestep(step), 1, path.level(step),
                step(path, step, order.of(path, step, first), noise), noise);
        }).toList();
        return estimate.table(name, 1, rows);
    }

    private static LinearForm step(SigmaPath path, int step, int order, LinearForm noise) {
        double to = path.level(step + 1).image();
        LinearForm next = LinearForm.LATENT.times(to / path.level(step).image());
        for (int which = 0; which < order; which++) {
            LinearForm output = which == 0 ? noise : LinearForm.past(which);
            next = next.plus(output.times(to * weight(path, step, order, which)));
        }
        return next;
    }

    /** The integral, over the step, of Lagrange's polynomial in log rho that is 1 at {@code which} steps back. */
    private static double weight(SigmaPath path, int step, int order, int which) {
        double near = Math.log(path.ratio(step - which));
        double[] others = IntStream.range(0, order).filter(other -> other != which)
            .mapToDouble(other -> Math.log(path.ratio(step - other))).toArray();
        return integral(path.ratio(step + 1), near, others) - integral(path.ratio(step), near, others);
    }

    /** Of the product of {@code (log rho − other)/(near − other)}, up to a constant. */
    private static double integral(double rho, double near, double[] others) {
        double log = Math.log(rho);
        return switch (others.length) {
            case 0 -> rho;
            case 1 -> rho * (log - 1 - others[0]) / (near - others[0]);
            default -> rho * (log * log - 2 * log + 2 - (others[0] + others[1]) * (log - 1) + others[0] * others[1])
                / ((near - others[0]) * (near - others[1]));
        };
    }
}
