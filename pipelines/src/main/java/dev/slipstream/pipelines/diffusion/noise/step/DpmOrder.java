package dev.slipstream.pipelines.diffusion.noise.step;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;

/**
 * Which order a multistep solver has in each step: it starts with 1, as nothing is remembered yet, and may end low.
 *
 * @param most the order in the middle of the path, 1 to 3
 * @param lowAtEnd whether paths of less than 15 steps end with low orders
 * @param eulerAtEnd whether the last step has order 1 on every path
 */
public record DpmOrder(int most, boolean lowAtEnd, boolean eulerAtEnd) {
    private static final int SHORT_PATH = 15;

    public static DpmOrder read(SchedulerOptions options) {
        return new DpmOrder(most(options), options.flag("lower_order_final", true),
            options.flag("euler_at_final", false));
    }

    /** Reads {@code solver_order}. */
    public static int most(SchedulerOptions options) {
        int most = options.integer("solver_order", 2);
        if (most < 1 || most > 3) {
            throw options.error("solver_order is " + most + ", but must be 1 to 3");
        }
        return most;
    }

    /** The step to a level where the path already is changes nothing, whatever the order would be. */
    public int of(SigmaPath path, int step, int first) {
        return path.stays(step) ? 1 : of(step, first, path.steps(), path.sigma(path.steps()) == 0);
    }

    /**
     * @param first the step at which the path is entered
     * @param endsClean whether the path ends at sigma 0, where only order 1 is finite
     */
    public int of(int step, int first, int steps, boolean endsClean) {
        boolean descends = lowAtEnd && steps < SHORT_PATH;
        int remaining = steps - step;
        int allowed = remaining == 1 && (eulerAtEnd || descends || endsClean) ? 1
            : remaining == 2 && descends ? 2 : most;
        return Math.min(most, Math.min(step - first + 1, allowed));
    }
}
