package dev.slipstream.pipelines.diffusion.noise;

import java.util.List;

/**
 * The formulas of one DPM-Solver++ step, in the time {@code λ = log(alpha/sigma)}, over a step of length {@code h}.
 *
 * @param stochastic whether fresh noise is added (the SDE form)
 * @param heun whether the second order uses Heun's weight of the difference, not the midpoint's
 */
record DpmStep(boolean stochastic, boolean heun) {
    /** Weights of the latents, of the estimates of the clean image (this step's first), and of fresh noise. */
    record Weights(double latent, List<Double> estimates, double noise) {
    }

    static DpmStep read(SchedulerOptions options) {
        // diffusers takes what configurations of its DEIS and UniPC classes say for its own defaults.
        String algorithm = options.choice("algorithm_type", "dpmsolver++", "dpmsolver++", "sde-dpmsolver++", "deis");
        String type = options.choice("solver_type", "midpoint", "midpoint", "heun", "logrho", "bh1", "bh2");
        return new DpmStep(algorithm.equals("sde-dpmsolver++"), type.equals("heun"));
    }

    Weights weights(SigmaPath path, int step, int order) {
        NoiseLevel from = NoiseLevel.ofRatio(path.sigma(step));
        NoiseLevel to = NoiseLevel.ofRatio(path.sigma(step + 1));
        // exp(−h), which is also right at sigma 0, where h is infinite.
        double decay = path.sigma(step + 1) / path.sigma(step);
        double latent = to.sigma() / from.sigma() * (stochastic ? decay : 1);
        double estimate = to.alpha() * (1 - (stochastic ? decay * decay : decay));
        double noise = stochastic ? to.sigma() * Math.sqrt(1 - decay * decay) : 0;
        List<Double> estimates = switch (order) {
            case 1 -> List.of(estimate);
            case 2 -> second(path, step, to.alpha(), decay, estimate);
            default -> third(path, step, to.alpha(), decay, estimate);
        };
        return new Weights(latent, estimates, noise);
    }

    private List<Double> second(SigmaPath path, int step, double alpha, double decay, double estimate) {
        double length = -Math.log(decay);
        double slope = estimate / 2;
        if (heun) {
            slope = alpha * (1 - (stochastic ? (1 - decay * decay) / (2 * length) : (1 - decay) / length));
        }
        double difference = slope / (length(path, step - 1) / length);
        return List.of(estimate + difference, -difference);
    }

    private static List<Double> third(SigmaPath path, int step, double alpha, double decay, double estimate) {
        double length = -Math.log(decay);
        double near = length(path, step - 1) / length;
        double far = length(path, step - 2) / length;
        double slope = alpha * (1 - (1 - decay) / length);
        double curvature = alpha * (0.5 - (decay - 1 + length) / (length * length));
        double bend = (slope * near + curvature) / (near + far);
        double nearDifference = (slope + bend) / near;
        double farDifference = -bend / far;
        return List.of(estimate + nearDifference, farDifference - nearDifference, -farDifference);
    }

    private static double length(SigmaPath path, int step) {
        return Math.log(path.sigma(step) / path.sigma(step + 1));
    }
}
