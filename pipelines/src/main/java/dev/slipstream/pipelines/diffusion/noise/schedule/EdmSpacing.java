package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import java.util.Arrays;

/**
 * The noise levels of models with the preconditioning of Karras et al., and what such a model is told.
 *
 * @param exponential whether they are even in log sigma, instead of by rho
 */
public record EdmSpacing(int trainedTimesteps, double min, double max, double rho,
                         boolean exponential, boolean endsClean) {
    public static EdmSpacing read(SchedulerOptions options) {
        double min = options.positiveNumber("sigma_min", 0.002);
        double max = options.positiveNumber("sigma_max", 80);
        if (min >= max) {
            throw options.error("sigma_min must be less than sigma_max");
        }
        return new EdmSpacing(options.positive("num_train_timesteps", 1000), min, max,
            options.positiveNumber("rho", 7),
            options.choice("sigma_schedule", "karras", "karras", "exponential").equals("exponential"),
            SigmaSchedule.endsClean(options));
    }

    /** @param noisyEnd the sigma after the last step where it is not 0; NaN to stay at the last level */
    public SigmaPath path(int steps, double noisyEnd) {
        double[] sigmas = exponential ? SigmaSpacing.exponential(max, min, steps)
            : SigmaSpacing.karras(max, min, steps, rho);
        if (exponential && steps == 1) {
            // diffusers counts from the least one.
            sigmas[0] = min;
        }
        double[] times = Arrays.stream(sigmas).map(EdmSpacing::timestep).toArray();
        return new SigmaPath(NoiseSpace.VARIANCE_EXPLODING, times, sigmas,
            endsClean ? 0 : Double.isNaN(noisyEnd) ? sigmas[steps - 1] : noisyEnd);
    }

    /** What the denoiser is told of a noise level. */
    public static double timestep(double sigma) {
        return Math.log(sigma) / 4;
    }

    public double initialScale() {
        return Math.sqrt(max * max + 1);
    }
}
