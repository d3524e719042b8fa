package dev.slipstream.pipelines.diffusion.family;

/**
 * What a family of models is usually drawn with, where a request does not say it.
 *
 * @param steps of denoising
 * @param guidance how much the prompt counts
 */
public record Usual(int steps, double guidance) {
    /** Steps of most families. */
    public static final int STEPS = 50;
    /** Guidance of most families. */
    public static final double GUIDANCE = 4;

    /** Of most families. */
    static final Usual MOST = new Usual(STEPS, GUIDANCE);
}
