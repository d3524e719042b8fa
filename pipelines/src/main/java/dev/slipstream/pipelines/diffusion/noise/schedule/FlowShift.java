package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * How far the noise levels of flow matching are shifted towards noise: by a number, or by how large the picture is.
 *
 * @param factor the shift {@code s} in {@code s·σ / (1 + (s − 1)·σ)}; NaN where the picture's size is not known
 * @param even whether the levels are spaced evenly from 1 to 1/steps before they are shifted, as where the shift
 *     depends on the picture, or a pipeline wants it; otherwise they end at the least trained level, which is shifted
 *     already
 */
public record FlowShift(double factor, boolean even) {
    public static FlowShift read(SchedulerOptions options) {
        boolean linear = options.choice("time_shift_type", "exponential", "exponential", "linear").equals("linear");
        if (!options.flag("use_dynamic_shifting", false)) {
            return new FlowShift(options.positiveNumber("shift", 1),
                options.flag(SchedulerOptions.EVEN_LEVELS, false));
        }
        if (options.isAbsent(SchedulerOptions.IMAGE_TOKENS)) {
            return new FlowShift(Double.NaN, true);
        }
        double mu = mu(options);
        double factor = linear ? mu : Math.exp(mu);
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw options.error("base_shift, max_shift and the image's tokens give a shift of " + factor);
        }
        return new FlowShift(factor, true);
    }

    /** Linear in the number of image tokens. */
    private static double mu(SchedulerOptions options) {
        double least = options.number("base_image_seq_len", 256);
        double most = options.number("max_image_seq_len", 4096);
        double low = options.number("base_shift", 0.5);
        double high = options.number("max_shift", 1.15);
        if (!(least < most)) {
            throw options.error("base_image_seq_len must be less than max_image_seq_len");
        }
        return low + (high - low) * (options.number(SchedulerOptions.IMAGE_TOKENS, 0) - least) / (most - least);
    }

    /** @return what {@code shift_terminal} says: the level to which the last one is stretched; 0 to leave it */
    public static double terminal(SchedulerOptions options) {
        double terminal = options.number("shift_terminal", 0);
        if (!(terminal >= 0 && terminal < 1)) {
            throw options.error("shift_terminal is " + terminal + ", but must be less than 1");
        }
        return terminal;
    }

    /** The levels, with their distances from noise stretched so that the last is {@code terminal}, unless that is 0. */
    public static double[] stretched(double[] sigmas, double terminal) {
        if (terminal == 0) {
            return sigmas;
        }
        double stretch = (1 - sigmas[sigmas.length - 1]) / (1 - terminal);
        return Arrays.stream(sigmas).map(sigma -> 1 - (1 - sigma) / stretch).toArray();
    }

    /** @throws NoiseSchedulerException if they depend on the size of the picture, which is not known */
    public double[] sigmas(int steps, int trainedTimesteps) {
        if (Double.isNaN(factor)) {
            throw new NoiseSchedulerException("use_dynamic_shifting is true, so the noise levels depend on the size of "
                + "the picture, which is not known here; set it to false and shift to a number");
        }
        double least = even ? 1.0 / steps : shifted(1.0 / trainedTimesteps);
        return IntStream.range(0, steps)
            .mapToDouble(step -> shifted(steps == 1 ? 1 : 1 + (least - 1) * step / (steps - 1))).toArray();
    }

    private double shifted(double sigma) {
        return factor * sigma / (1 + (factor - 1) * sigma);
    }
}
