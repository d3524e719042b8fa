package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable.Row;

/** What a step makes of the denoiser's prediction, and with it the rows of a table. */
record CleanEstimate(Prediction prediction) {
    /** The clean image that a step goes by. */
    Terms clean(NoiseLevel level) {
        return prediction.clean(level);
    }

    /** The noise that belongs to it. */
    Terms noise(NoiseLevel level) {
        return prediction.noise(level);
    }

    /** The step to another level with this image and this noise. */
    Terms transfer(NoiseLevel from, NoiseLevel to) {
        return prediction.transfer(from, to);
    }

    /** @param shown the clean image that the step expects, in the scale of the last latents */
    Row row(double timestep, double inputScale, NoiseLevel level, Terms next, Terms remembered, Terms shown) {
        return new Row(timestep, inputScale, next.next(), remembered.linear(), shown.linear(), level.mix());
    }

    Row row(double timestep, double inputScale, NoiseLevel level, Terms next, Terms remembered) {
        return row(timestep, inputScale, level, next, remembered, clean(level));
    }
}
