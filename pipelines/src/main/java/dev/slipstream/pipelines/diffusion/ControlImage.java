package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Objects;

/**
 * What one ControlNet of a pipeline is given: the picture by which it steers, such as edges, depths or a pose, how much
 * it counts, and at which steps. The picture is scaled to what is drawn. Immutable; any thread may use it. Numbers out
 * of range are an {@link IllegalArgumentException} here.
 *
 * @see DiffusionPipeline.Builder#controlNet
 */
public final class ControlImage {
    private static final double MOST_SCALE = 1_000;

    private final Settings all;

    private ControlImage(Settings all) {
        this.all = all;
    }

    private record Settings(Image image, double scale, double from, double to, boolean guesses) {
        Settings {
            Objects.requireNonNull(image, "image");
            if (!(scale >= -MOST_SCALE && scale <= MOST_SCALE)) {
                throw new IllegalArgumentException("a ControlNet counts from " + -MOST_SCALE + " to " + MOST_SCALE
                    + ", not " + scale);
            }
            if (!(from >= 0 && from < to && to <= 1)) {
                throw new IllegalArgumentException("a ControlNet steers from a share of the steps to a larger one, "
                    + "between 0 and 1, not from " + from + " to " + to);
            }
        }
    }

    /** The picture counts as the ControlNet was taught, at all steps. */
    public static ControlImage of(Image image) {
        return new ControlImage(new Settings(image, 1, 0, 1, false));
    }

    public Image image() {
        return all.image;
    }

    /** How much the ControlNet counts: 1 if not said, 0 for nothing. diffusers' controlnet_conditioning_scale. */
    public double scale() {
        return all.scale;
    }

    /** The share of the steps after which it begins: 0 if not said. diffusers' control_guidance_start. */
    public double from() {
        return all.from;
    }

    /** The share of the steps at which it ends: 1 if not said. diffusers' control_guidance_end. */
    public double to() {
        return all.to;
    }

    /**
     * Whether only the prediction with the prompt is steered, deep layers more than others (0.1 to 1), so that a
     * picture may be drawn without a prompt: diffusers' guess_mode.
     */
    public boolean guesses() {
        return all.guesses;
    }

    public ControlImage withScale(double factor) {
        return new ControlImage(new Settings(all.image, factor, all.from, all.to, all.guesses));
    }

    /**
     * A step is steered if all of it is within the range: the i-th of n, from 0, if i/n is at least {@code begin} and
     * (i+1)/n at most {@code end}. At others the ControlNet does not run.
     *
     * @param begin at least 0 and less than {@code end}
     * @param end at most 1
     */
    public ControlImage withRange(double begin, double end) {
        return new ControlImage(new Settings(all.image, all.scale, begin, end, all.guesses));
    }

    public ControlImage withGuessing(boolean guessed) {
        return new ControlImage(new Settings(all.image, all.scale, all.from, all.to, guessed));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ControlImage control && all.equals(control.all);
    }

    @Override
    public int hashCode() {
        return all.hashCode();
    }

    @Override
    public String toString() {
        return "ControlImage" + all.toString().substring("Settings".length());
    }
}
