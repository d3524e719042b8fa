package dev.slipstream.pipelines.diffusion.noise.step;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSchedule;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;

/**
 * The formulas of DPM-Solver's steps: the equation is solved exactly for what is linear in it, and the model's output
 * {@code m} is a Taylor series in {@code λ = log(alpha/sigma)} over a step of length {@code h}.
 *
 * @param predictsNoise whether {@code m} is the noise (DPM-Solver), not the clean image (DPM-Solver++)
 * @param stochastic whether fresh noise is added (the SDE form)
 * @param heun whether the second order uses Heun's weight of the derivative, not the midpoint's
 * @see <a href="https://arxiv.org/abs/2206.00927">Lu et al. (2022), DPM-Solver</a>
 * @see <a href="https://arxiv.org/abs/2211.01095">Lu et al. (2022), DPM-Solver++</a>
 */
public record DpmStep(boolean predictsNoise, boolean stochastic, boolean heun) {
    /** diffusers' {@code algorithm_type}; it takes what configurations of its DEIS class say for its own default. */
    public static DpmStep read(SchedulerOptions options, String... algorithms) {
        String algorithm = options.choice("algorithm_type", "dpmsolver++", algorithms);
        String type = options.choice("solver_type", "midpoint", "midpoint", "heun", "logrho", "bh1", "bh2");
        boolean predictsNoise = algorithm.equals("dpmsolver") || algorithm.equals("sde-dpmsolver");
        if (predictsNoise && SigmaSchedule.endsClean(options)) {
            throw options.error("algorithm_type is " + algorithm + ", which cannot end at sigma 0; set "
                + "final_sigmas_type to sigma_min, or algorithm_type to " + algorithm + "++");
        }
        return new DpmStep(predictsNoise, algorithm.startsWith("sde-"), type.equals("heun"));
    }

    /**
     * Weights in the next latents.
     *
     * @param latent of the latents at the beginning of the step
     * @param output of m at the beginning
     * @param slope of its derivative over the whole step, in the second order
     * @param firstDerivative the same in the third order
     * @param secondDerivative of its second derivative over the step squared, in the third order
     * @param noise of fresh noise
     */
    public record Weights(double latent, double output, double slope, double firstDerivative,
                          double secondDerivative, double noise) {
    }

    public String name(int order, String kind) {
        return "dpm" + (predictsNoise ? "" : "++") + order + kind + (stochastic ? "-sde" : "");
    }

    /** What the steps go by. */
    public LinearForm output(CleanEstimate estimate, Mix level) {
        return predictsNoise ? estimate.noise(level) : estimate.clean(level);
    }

    public Weights weights(Mix from, Mix to) {
        // exp(−h), which is also right at sigma 0, where h is infinite.
        double decay = to.noise() / to.image() / (from.noise() / from.image());
        double length = -Math.log(decay);
        return predictsNoise ? noiseWeights(from, to, decay, length) : imageWeights(from, to, decay, length);
    }

    private Weights imageWeights(Mix from, Mix to, double decay, double length) {
        double latent = to.noise() / from.noise();
        if (stochastic) {
            double square = decay * decay;
            double twice = 2 * length;
            double output = to.image() * (1 - square);
            double first = to.image() * (1 - (1 - square) / twice);
            double second = to.image() * ((1 - square - twice) / (twice * twice) - 0.5);
            return new Weights(latent * decay, output, heun ? first : output / 2, first, second,
                to.noise() * Math.sqrt(1 - square));
        }
        double output = to.image() * (1 - decay);
        double first = to.image() * (1 - (1 - decay) / length);
        double second = to.image() * (0.5 - (decay - 1 + length) / (length * length));
        return new Weights(latent, output, heun ? first : output / 2, first, second, 0);
    }

    private Weights noiseWeights(Mix from, Mix to, double decay, double length) {
        double growth = to.noise() * (1 / decay - 1) * (stochastic ? 2 : 1);
        double first = growth == 0 ? 0 : -growth / length + to.noise() * (stochastic ? 2 : 1);
        double second = -to.noise() * ((1 / decay - 1 - length) / (length * length) - 0.5);
        return new Weights(to.image() / from.image(), -growth, heun ? first : -growth / 2, first, second,
            stochastic ? to.noise() * Math.sqrt(1 / (decay * decay) - 1) : 0);
    }
}
