package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The noise levels that the steps of one request go through: step {@code i} goes from {@code sigma(i)} to {@code
 * sigma(i + 1)}, at {@code timestep(i)}. Immutable.
 */
public final class SigmaPath {
    private final NoiseSpace space;
    private final double[] timesteps;
    private final double[] sigmas;

    /** @param end the sigma after the last step; unused where {@code sigmas} has one more entry than timesteps */
    public SigmaPath(NoiseSpace space, double[] timesteps, double[] sigmas, double end) {
        this.space = space;
        this.timesteps = timesteps;
        this.sigmas = Arrays.copyOf(sigmas, timesteps.length + 1);
        if (sigmas.length == timesteps.length) {
            this.sigmas[timesteps.length] = end;
        }
    }

    public int steps() {
        return timesteps.length;
    }

    /** The steps from one of them on. @throws NoiseSchedulerException if the path has no such step */
    public IntStream from(int first) {
        if (first >= steps()) {
            throw new NoiseSchedulerException("a path of " + steps() + " steps cannot begin after " + first
                + "; take a larger strength or more steps");
        }
        return IntStream.range(first, steps());
    }

    public double timestep(int step) {
        return timesteps[step];
    }

    public double sigma(int step) {
        return sigmas[step];
    }

    public Mix level(int step) {
        return space.level(sigmas[step]);
    }

    /** Noise beside the image, {@code sigma / alpha}: what DPM-Solver's time is the logarithm of. */
    public double ratio(int step) {
        Mix level = level(step);
        return level.noise() / level.image();
    }

    /** What the denoiser's input is multiplied by, to have the size of the model's training data. */
    public double inputScale(int step) {
        return inputScale(sigmas[step]);
    }

    public static double inputScale(double sigma) {
        return 1 / Math.sqrt(1 + sigma * sigma);
    }

    /** diffusers starts from the training distribution where the first timestep is not the noisiest one. */
    public double initialScale(TimestepSpacing spacing) {
        double max = Arrays.stream(sigmas).max().orElseThrow();
        return spacing == TimestepSpacing.LEADING ? Math.sqrt(max * max + 1) : max;
    }

    /** Whether a step ends at the level it starts from. */
    public boolean stays(int step) {
        return sigmas[step] == sigmas[step + 1];
    }

    /** For methods that divide by the difference of two earlier levels; the last step may stay where it is. */
    public SigmaPath requireDescending(String method) {
        for (int step = 0; step < timesteps.length; step++) {
            if (!(sigmas[step] > sigmas[step + 1] || step == timesteps.length - 1 && stays(step))) {
                throw new NoiseSchedulerException(method + " cannot do " + timesteps.length + " steps: step "
                    + (step + 1) + " would end at the noise level it starts from; choose fewer steps");
            }
        }
        return this;
    }
}
