package dev.slipstream.samples.reference;

import dev.slipstream.pipelines.model.config.ConfigFile;

/**
 * How much latents may differ.
 *
 * @param absolute largest difference that passes in any case
 * @param relative largest difference that passes, as a part of the largest latent of a step; 0 if only the other counts
 */
public record Tolerance(double absolute, double relative) {
    /** That of folders that say nothing. */
    public static final Tolerance USUAL = absolute(1e-4);

    public static Tolerance absolute(double most) {
        return new Tolerance(most, 0);
    }

    /** What {@code cases.json} says. */
    static Tolerance of(ConfigFile cases) {
        return cases.object("tolerance").map(said -> new Tolerance(said.number("absolute", USUAL.absolute),
            said.number("relative_to_max_of_step", 0))).orElse(USUAL);
    }

    /** The largest difference that passes. @param largest absolute value of a latent of the step */
    public double of(double largest) {
        return Math.max(absolute, relative * largest);
    }

    @Override
    public String toString() {
        return relative == 0 ? Double.toString(absolute)
            : absolute + ", or " + relative + " of a step's largest latent";
    }
}
