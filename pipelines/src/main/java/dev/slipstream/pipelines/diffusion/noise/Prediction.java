package dev.slipstream.pipelines.diffusion.noise;

/** How the clean image and the noise follow from latents and the denoiser's prediction. */
sealed interface Prediction permits PredictionType, EdmPreconditioning {
    /** The estimate of the clean image x0. */
    Terms clean(NoiseLevel level);

    /** The estimate of the noise ε. */
    default Terms noise(NoiseLevel level) {
        return Terms.LATENT.minus(clean(level).times(level.alpha())).times(1 / level.sigma());
    }
}
