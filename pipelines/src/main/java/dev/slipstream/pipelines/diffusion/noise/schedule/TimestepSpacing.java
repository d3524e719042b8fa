package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import java.util.stream.IntStream;

/**
 * Which of the trained timesteps the steps visit (Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps
 * are Flawed", table 2), rounded as diffusers rounds: to the nearest even number where two are equally near.
 */
public enum TimestepSpacing {
    LEADING, TRAILING, LINSPACE;

    /** Reads {@code timestep_spacing}. */
    public static TimestepSpacing read(SchedulerOptions options, String otherwise) {
        return switch (options.choice("timestep_spacing", otherwise, "leading", "trailing", "linspace")) {
            case "leading" -> LEADING;
            case "trailing" -> TRAILING;
            default -> LINSPACE;
        };
    }

    /** Descending timesteps; those of {@link #LINSPACE} may have fractions and have the precision of fp32. */
    public double[] timesteps(int trained, int steps, int offset) {
        return IntStream.range(0, steps).mapToDouble(step -> switch (this) {
            case LEADING -> (double) (steps - 1 - step) * (trained / steps) + offset;
            case TRAILING -> Math.rint(trained - step * ((double) trained / steps)) - 1;
            case LINSPACE -> steps == 1 ? 0 : (float) ((steps - 1 - step) * ((trained - 1.0) / (steps - 1)));
        }).toArray();
    }

    /** Descending whole timesteps, of the step {@code first} and those after it. */
    public int[] wholeTimesteps(int trained, int steps, int first, int offset) {
        double[] timesteps = timesteps(trained, steps, offset);
        return IntStream.range(first, steps).map(step -> (int) Math.rint(timesteps[step])).toArray();
    }

    /**
     * Descending whole timesteps as DPM-Solver's implementation places them: one interval more than steps, the last of
     * which is left to the end of the path.
     *
     * @param last how many of the trained timesteps may be used, counted from 0
     */
    public int[] solverTimesteps(int trained, int last, int steps, int offset) {
        double stride = (double) trained / steps;
        return switch (this) {
            case LEADING -> IntStream.range(0, steps)
                .map(step -> (steps - step) * (last / (steps + 1)) + offset).toArray();
            // Leaving out the noisiest timesteps leaves fewer steps. The margin keeps rounding from adding one.
            case TRAILING -> IntStream.range(0, (int) Math.ceil(last / stride - 1e-9))
                .map(step -> (int) Math.rint(last - step * stride) - 1).toArray();
            case LINSPACE -> IntStream.range(0, steps)
                .map(step -> (int) Math.rint((steps - step) * ((last - 1.0) / steps))).toArray();
        };
    }
}
