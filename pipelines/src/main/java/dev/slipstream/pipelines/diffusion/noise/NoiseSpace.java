package dev.slipstream.pipelines.diffusion.noise;

/** What a sigma says about latents {@code alpha·x0 + sigma·ε}. */
enum NoiseSpace {
    /** The clean image keeps its size (Karras et al. 2022). */
    VARIANCE_EXPLODING,
    /** As models are trained: a sigma is the ratio of noise to image in latents of unit variance. */
    VARIANCE_PRESERVING,
    /** A straight line from the image to the noise, as in flow matching. */
    STRAIGHT;

    NoiseLevel level(double sigma) {
        return switch (this) {
            case VARIANCE_EXPLODING -> NoiseLevel.varianceExploding(sigma);
            case VARIANCE_PRESERVING -> NoiseLevel.ofRatio(sigma);
            case STRAIGHT -> NoiseLevel.onLine(sigma);
        };
    }
}
