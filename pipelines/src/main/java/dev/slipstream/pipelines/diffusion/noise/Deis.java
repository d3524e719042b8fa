package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.stream.IntStream;

/**
 * DEIS in log rho (rho is the ratio of noise to image), multistep, of order 1 to 3: a polynomial in log rho through the
 * last noise estimates is integrated over the step.
 *
 * @see <a href="https://arxiv.org/abs/2204.13902">Zhang and Chen (2022), equation 15</a>
 */
record Deis(SolverSpacing spacing, CleanEstimate estimate, DpmOrder order) implements Sampler {
    static Deis read(SchedulerOptions options) {
        SigmaSchedule sigmas = TrainingSchedule.read(options).sigmas();
        return new Deis(SolverSpacing.read(options, sigmas, SigmaSpacing.Kind.SOLVER).endingNoisy(),
            CleanEstimate.thresholded(options, SolverSpacing.prediction(options)),
            new DpmOrder(DpmOrder.most(options), options.flag("lower_order_final", true), false));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.sigmas().timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = spacing.spacing().name("deis");
        SigmaPath path = spacing.path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> {
            Terms noise = estimate.noise(path.level(step));
            return estimate.row(path.timestep(step), 1, path.level(step),
                step(path, step, order.of(path, step, first), noise), noise);
        }).toList();
        return estimate.table(name, 1, rows);
    }

    private static Terms step(SigmaPath path, int step, int order, Terms noise) {
        double to = path.level(step + 1).alpha();
        Terms next = Terms.LATENT.times(to / path.level(step).alpha());
        for (int which = 0; which < order; which++) {
            Terms output = which == 0 ? noise : Terms.past(which);
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
