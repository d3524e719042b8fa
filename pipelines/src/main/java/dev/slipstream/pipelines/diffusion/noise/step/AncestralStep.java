package dev.slipstream.pipelines.diffusion.noise.step;

/**
 * How an ancestral step of k-diffusion reaches a noise level: further down without noise, and up again with fresh
 * noise.
 *
 * @param down the sigma without the noise
 * @param up the sigma of the noise
 */
public record AncestralStep(double down, double up) {
    public static AncestralStep between(double from, double to) {
        double down = to * to / from;
        return new AncestralStep(down, Math.sqrt(Math.max(0, to * to - down * down)));
    }
}
