package dev.slipstream.pipelines.diffusion.noise.schedule;

import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;

/** What a sigma says about latents {@code alpha·x0 + sigma·ε}. */
public enum NoiseSpace {
    /** The clean image keeps its size (Karras et al. 2022). */
    VARIANCE_EXPLODING,
    /** As models are trained: a sigma is the ratio of noise to image in latents of unit variance. */
    VARIANCE_PRESERVING,
    /** A straight line from the image to the noise, as in flow matching. */
    STRAIGHT;

    public Mix level(double sigma) {
        return switch (this) {
            case VARIANCE_EXPLODING -> new Mix(1, sigma);
            case VARIANCE_PRESERVING -> {
                double alpha = 1 / Math.sqrt(1 + sigma * sigma);
                yield new Mix(alpha, sigma * alpha);
            }
            case STRAIGHT -> new Mix(1 - sigma, sigma);
        };
    }
}
