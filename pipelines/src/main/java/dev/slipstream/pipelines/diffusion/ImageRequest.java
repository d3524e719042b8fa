package dev.slipstream.pipelines.diffusion;

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
    /** Guidance if nothing else is said. */
    public static final double DEFAULT_GUIDANCE = 4;

    public ImageRequest {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(negative, "negative");
        if (steps < 1) {
            throw new IllegalArgumentException("a picture takes at least 1 step, not " + steps);
        }
        if (batch < 1) {
            throw new IllegalArgumentException("a batch has at least 1 picture, not " + batch);
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
