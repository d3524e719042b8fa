package dev.slipstream.pipelines.diffusion.noise;

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
record KDiffusionSpacing(SigmaSchedule sigmas, TimestepSpacing timesteps, int offset, SigmaSpacing spacing,
                         boolean wholeTimesteps, boolean logLinear, double end) {
    /** As most of them have it: with all that the options say of spacing, down to 0. */
    static KDiffusionSpacing read(SchedulerOptions options, SigmaSchedule sigmas) {
        return new KDiffusionSpacing(sigmas, TimestepSpacing.read(options, "linspace"),
            options.integer("steps_offset", 0), SigmaSpacing.read(options, SigmaSpacing.Kind.COMMON), false, false, 0);
    }

    /** The betas that diffusers gives its methods of second order. @param moreSchedules besides those of all classes */
    static SigmaSchedule secondOrderSigmas(SchedulerOptions options, String... moreSchedules) {
        return TrainingSchedule.read(options, 0.00085, 0.012, "linear", moreSchedules).sigmas();
    }

    KDiffusionSpacing with(SigmaSpacing other) {
        return new KDiffusionSpacing(sigmas, timesteps, offset, other, wholeTimesteps, logLinear, end);
    }

    KDiffusionSpacing withWholeTimesteps() {
        return new KDiffusionSpacing(sigmas, timesteps, offset, spacing, true, logLinear, end);
    }

    KDiffusionSpacing withEnd(boolean evenInLog, double last) {
        return new KDiffusionSpacing(sigmas, timesteps, offset, spacing, wholeTimesteps, evenInLog, last);
    }

    SigmaPath path(int steps) {
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

    double initialScale(SigmaPath path) {
        return path.initialScale(timesteps);
    }
}
