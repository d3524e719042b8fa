package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Next;
import java.util.List;

/** A linear form {@code latent·x + prediction·p} in the latents and the denoiser's prediction. */
record Terms(double latent, double prediction) {
    static final Terms LATENT = new Terms(1, 0);

    Terms times(double factor) {
        return new Terms(factor * latent, factor * prediction);
    }

    Terms plus(Terms other) {
        return new Terms(latent + other.latent, prediction + other.prediction);
    }

    /** These terms as the next latents, with nothing remembered and no noise. */
    Next next() {
        return next(List.of(), 0);
    }

    Next next(List<Double> past, double noise) {
        return new Next(latent, prediction, past, noise);
    }

    Linear linear() {
        return new Linear(latent, prediction);
    }
}
