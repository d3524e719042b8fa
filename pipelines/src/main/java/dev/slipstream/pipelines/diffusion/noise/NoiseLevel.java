package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable.Mix;

/** How latents {@code x = alpha·x0 + sigma·ε} are mixed from the clean image {@code x0} and unit noise {@code ε}. */
record NoiseLevel(double alpha, double sigma) {
    static final NoiseLevel CLEAN = new NoiseLevel(1, 0);

    /** alpha² + sigma² = 1, as models are trained; {@code alphaCumprod} is alpha². */
    static NoiseLevel variancePreserving(double alphaCumprod) {
        return new NoiseLevel(Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod));
    }

    /** alpha² + sigma² = 1 with {@code ratio} = sigma / alpha. */
    static NoiseLevel ofRatio(double ratio) {
        double alpha = 1 / Math.sqrt(1 + ratio * ratio);
        return new NoiseLevel(alpha, ratio * alpha);
    }

    /** The space of Karras et al. (2022), in which the clean image keeps its size. */
    static NoiseLevel varianceExploding(double sigma) {
        return new NoiseLevel(1, sigma);
    }

    /** A straight line from the image to the noise, as in flow matching. */
    static NoiseLevel onLine(double sigma) {
        return new NoiseLevel(1 - sigma, sigma);
    }

    /** The same as tables tell it. */
    Mix mix() {
        return new Mix(alpha, sigma);
    }
}
