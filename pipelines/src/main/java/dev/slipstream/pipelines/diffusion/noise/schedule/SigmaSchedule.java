package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The training schedule as k-diffusion sees it: one {@code sigma = √((1 − ᾱ)/ᾱ)} a timestep, ascending. Immutable.
 *
 * @see <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022)</a>
 */
public final class SigmaSchedule {
    private final double[] sigmas;

    public SigmaSchedule(double[] sigmas) {
        this.sigmas = sigmas;
    }

    public int timesteps() {
        return sigmas.length;
    }

    public double min() {
        return sigmas[0];
    }

    public double max() {
        return sigmas[sigmas.length - 1];
    }

    /** Whether the last step ends at sigma 0, as {@code final_sigmas_type} wants it, and not at the least sigma. */
    public static boolean endsClean(SchedulerOptions options) {
        return options.choice("final_sigmas_type", "zero", "zero", "sigma_min").equals("zero");
    }

    /** Sigma of a timestep, linear between two trained ones, and that of the nearest end outside. */
    public double at(double timestep) {
        int low = (int) Math.clamp(Math.floor(timestep), 0, sigmas.length - 1);
        int high = Math.min(low + 1, sigmas.length - 1);
        double part = Math.clamp(timestep - low, 0, 1);
        return sigmas[low] + part * (sigmas[high] - sigmas[low]);
    }

    /** The timestep that a sigma belongs to, linear in log sigma between two trained ones. */
    public double timestep(double sigma) {
        if (sigmas.length == 1) {
            return 0;
        }
        int found = Arrays.binarySearch(sigmas, sigma);
        // If it is none of them, the complement of where it would be put in: behind the lower of its neighbours.
        int low = Math.clamp(Math.max(found, ~found - 1), 0, sigmas.length - 2);
        double log = Math.log(sigmas[low]);
        double part = (log - Math.log(Math.max(sigma, 1e-10))) / (log - Math.log(sigmas[low + 1]));
        return low + Math.clamp(part, 0, 1);
    }

    /** How many timesteps have {@code log(alpha/sigma)} below {@code minimum}; they are the last ones. */
    public int below(double minimum) {
        return (int) IntStream.range(0, sigmas.length).filter(t -> -Math.log(sigmas[t]) < minimum).count();
    }
}
