package dev.slipstream.pipelines.diffusion.noise;

/** How the clean image and the noise follow from latents and the denoiser's prediction. */
sealed interface Prediction permits PredictionType, EdmPreconditioning {
    /** The estimate of the clean image x0. */
    Terms clean(NoiseLevel level);

    /** The estimate of the noise ε. */
    default Terms noise(NoiseLevel level) {
        return Terms.LATENT.minus(clean(level).times(level.alpha())).times(1 / level.sigma());
    }

    /**
     * The latents at level {@code to} that have the same clean image and the same noise as those at {@code from}: the
     * step of DDIM, and Euler's step on the probability flow, which are the same line in two spaces.
     */
    default Terms transfer(NoiseLevel from, NoiseLevel to) {
        return clean(from).times(to.alpha()).plus(noise(from).times(to.sigma()));
    }
}
