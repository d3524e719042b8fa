package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Where the methods of k-diffusion place their steps: in the variance exploding space, between the noise levels of the
 * chosen timesteps.
 *
 * @param wholeTimesteps whether timesteps of Karras spacing are rounded
 * @param logLinear whether the sigmas are spaced evenly in their logarithm, instead of following the timesteps
 * @param end the sigma after the last step
 */
public record KDiffusionSpacing(SigmaSchedule sigmas, TimestepSpacing timesteps, int offset, SigmaSpacing spacing,
                                boolean wholeTimesteps, boolean logLinear, double end) {
    /** As most methods have it: with all that the options say of betas and spacing, down to sigma 0. */
    public static KDiffusionSpacing read(SchedulerOptions options) {
        return read(options, TrainingSchedule.read(options));
    }

    /** The same for methods that know {@code rescale_betas_zero_snr}. */
    public static KDiffusionSpacing readRescaled(SchedulerOptions options) {
        return read(options, TrainingSchedule.readRescaled(options));
    }

    /**
     * The same with the betas that diffusers gives its methods of second order.
     *
     * @param moreSchedules of betas, besides those that all methods know
     */
    public static KDiffusionSpacing readSecondOrder(SchedulerOptions options, String... moreSchedules) {
        return read(options, TrainingSchedule.read(options, 0.00085, 0.012, "linear", moreSchedules));
    }

    private static KDiffusionSpacing read(SchedulerOptions options, TrainingSchedule training) {
        return new KDiffusionSpacing(training.sigmas(), TimestepSpacing.read(options, "linspace"),
            options.integer("steps_offset", 0), SigmaSpacing.read(options, SigmaSpacing.Kind.COMMON), false, false, 0);
    }

    /** For methods that visit the levels of the chosen timesteps, whatever the options say. */
    public KDiffusionSpacing ofTimesteps() {
        return with(SigmaSpacing.OF_TIMESTEPS);
    }

    /** For the methods of diffusers that take no bounds for Karras spacing. */
    public KDiffusionSpacing withoutKarrasBounds() {
        return with(spacing.withoutKarrasBounds());
    }

    private KDiffusionSpacing with(SigmaSpacing other) {
        return new KDiffusionSpacing(sigmas, timesteps, offset, other, wholeTimesteps, logLinear, end);
    }

    public KDiffusionSpacing withWholeTimesteps() {
        return new KDiffusionSpacing(sigmas, timesteps, offset, spacing, true, logLinear, end);
    }

    public KDiffusionSpacing withEnd(boolean evenInLog, double last) {
        return new KDiffusionSpacing(sigmas, timesteps, offset, spacing, wholeTimesteps, evenInLog, last);
    }

    /** How many timesteps the model was trained with. */
    public int trainedTimesteps() {
        return sigmas.timesteps();
    }

    /** A method's name with the spacing behind it, where there is one: {@code euler-karras}. */
    public String name(String method) {
        return spacing.name(method);
    }

    /** The levels and timesteps of so many steps. */
    public SigmaPath path(int steps) {
        double[] times = timesteps.timesteps(sigmas.timesteps(), steps, offset);
        double[] levels = logLinear ? logLinear(steps) : Arrays.stream(times).map(sigmas::at).toArray();
        if (!spacing.is(SigmaSpacing.Kind.TIMESTEPS)) {
            levels = spacing.levels(levels[0], levels[levels.length - 1], steps);
            boolean whole = wholeTimesteps && spacing.is(SigmaSpacing.Kind.KARRAS);
            times = Arrays.stream(levels).map(sigmas::timestep).map(time -> whole ? Math.rint(time) : time).toArray();
        }
        return new SigmaPath(NoiseSpace.VARIANCE_EXPLODING, times, levels, end);
    }

    /** One more than steps: these end at the least trained sigma. */
    private double[] logLinear(int steps) {
        double first = Math.log(sigmas.max());
        double last = Math.log(sigmas.min());
        return IntStream.rangeClosed(0, steps).mapToDouble(step -> Math.exp(first + (last - first) * step / steps))
            .toArray();
    }

    /** What standard normal noise is multiplied by to give the first latents. */
    public double initialScale(SigmaPath path) {
        return path.initialScale(timesteps);
    }
}
