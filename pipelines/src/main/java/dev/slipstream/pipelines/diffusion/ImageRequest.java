package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.run.Guidance;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What to draw. Immutable; start from {@link #of} and change what matters.
 *
 * @param prompt what the picture shows
 * @param negative what it should not show; the empty text is the usual unconditional branch
 * @param steps denoising steps
 * @param guidance how much the prompt counts
 * @param seed of the initial noise: the same seed gives the same noise for every plan and device count
 * @param batch pictures, drawn together by one loop: the first of {@code seed}, the next of {@code seed + 1} and so on.
 *     Engines are built for a batch; another one has engines of its own
 * @param scheduler the noise scheduler by name ({@link NoiseScheduler#methods}), if not the model's own
 * @param width pixels, if not those of a given picture or else the model's own; likewise {@code height}
 * @param previewEvery after every so many steps but the last comes a preview, the picture that the step expects in the
 *     end; 0 for none
 * @param conditioning what the model is told beside the prompt
 * @param given a picture to start from, to repaint, or to enlarge
 */
public record ImageRequest(String prompt, String negative, int steps, Guidance guidance, long seed,
    int batch, Optional<String> scheduler, OptionalInt width, OptionalInt height, int previewEvery,
    Conditioning conditioning, Optional<GivenImage> given) {

    /** Steps that are taken if nothing else is said. */
    public static final int DEFAULT_STEPS = 50;
    /** No more are taken in one request, whatever the noise scheduler. */
    public static final int MOST_STEPS = 10_000;
    /** No more are drawn together. */
    public static final int MOST_PICTURES = 1_000;
    /** Guidance if nothing else is said. */
    public static final double DEFAULT_GUIDANCE = 4;

    public ImageRequest {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negative, "negative");
        if (steps < 1 || steps > MOST_STEPS) {
            throw new IllegalArgumentException("a picture takes 1 to " + MOST_STEPS + " steps, not " + steps);
        }
        if (batch < 1 || batch > MOST_PICTURES) {
            throw new IllegalArgumentException("a batch has 1 to " + MOST_PICTURES + " pictures, not " + batch);
        }
        if (seed > Long.MAX_VALUE - batch + 1) {
            throw new IllegalArgumentException("the seeds of " + batch + " pictures from " + seed + " on go beyond "
                + Long.MAX_VALUE);
        }
        long pixels = (long) width.orElse(1) * height.orElse(1);
        if (width.orElse(1) < 1 || height.orElse(1) < 1 || pixels > Image.MOST_PIXELS) {
            throw new IllegalArgumentException("a picture has at least 1x1 pixels and at most "
                + Image.MOST_PIXELS / 1_000_000 + " million, not " + width.orElse(1) + "x" + height.orElse(1));
        }
        if (previewEvery < 0) {
            throw new IllegalArgumentException("previews come every so many steps, not " + previewEvery);
        }
    }

    public static ImageRequest of(String prompt) {
        return new ImageRequest(prompt, "", DEFAULT_STEPS, Guidance.of(DEFAULT_GUIDANCE), 0, 1, Optional.empty(),
            OptionalInt.empty(), OptionalInt.empty(), 0, Conditioning.DEFAULT, Optional.empty());
    }

    public ImageRequest withNegative(String text) {
        return new ImageRequest(prompt, text, steps, guidance, seed, batch, scheduler, width, height, previewEvery,
            conditioning, given);
    }

    public ImageRequest withSteps(int count) {
        return new ImageRequest(prompt, negative, count, guidance, seed, batch, scheduler, width, height, previewEvery,
            conditioning, given);
    }

    public ImageRequest withGuidance(double weight) {
        return withGuidance(guidance.withWeight(weight));
    }

    /** @param strength 0 to 1, see {@link Guidance#rescale}; a request without guidance refuses it */
    public ImageRequest withGuidanceRescale(double strength) {
        return withGuidance(guidance.withRescale(strength));
    }

    private ImageRequest withGuidance(Guidance other) {
        return new ImageRequest(prompt, negative, steps, other, seed, batch, scheduler, width, height, previewEvery,
            conditioning, given);
    }

    public ImageRequest withSeed(long number) {
        return new ImageRequest(prompt, negative, steps, guidance, number, batch, scheduler, width, height,
            previewEvery, conditioning, given);
    }

    public ImageRequest withBatch(int pictures) {
        return new ImageRequest(prompt, negative, steps, guidance, seed, pictures, scheduler, width, height,
            previewEvery, conditioning, given);
    }

    public ImageRequest withScheduler(String name) {
        return new ImageRequest(prompt, negative, steps, guidance, seed, batch, Optional.of(name), width, height,
            previewEvery, conditioning, given);
    }

    public ImageRequest withSize(int wide, int high) {
        return new ImageRequest(prompt, negative, steps, guidance, seed, batch, scheduler, OptionalInt.of(wide),
            OptionalInt.of(high), previewEvery, conditioning, given);
    }

    public ImageRequest withPreviewEvery(int count) {
        return new ImageRequest(prompt, negative, steps, guidance, seed, batch, scheduler, width, height, count,
            conditioning, given);
    }

    public ImageRequest withConditioning(Conditioning told) {
        return new ImageRequest(prompt, negative, steps, guidance, seed, batch, scheduler, width, height, previewEvery,
            told, given);
    }

    public ImageRequest withGiven(GivenImage picture) {
        return new ImageRequest(prompt, negative, steps, guidance, seed, batch, scheduler, width, height, previewEvery,
            conditioning, Optional.of(picture));
    }

    /** The request for one of the pictures, alone. */
    ImageRequest forPicture(int index) {
        return withSeed(seed + index).withBatch(1);
    }

    boolean isGuided() {
        return guidance.weight() > 1;
    }
}
