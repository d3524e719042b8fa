package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.family.RecipeRequest;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What to draw. Immutable; start from {@link #of} and change what matters. Any thread may use it. No argument may be
 * null. What is wrong whatever the model is an {@link IllegalArgumentException} here; what a model cannot do is found
 * out when the request is submitted.
 */
public final class ImageRequest {
    /** Steps that are taken if nothing else is said. */
    public static final int DEFAULT_STEPS = 50;
    /** No more are taken in one request, whatever the noise scheduler. */
    public static final int MOST_STEPS = 10_000;
    /** No more are drawn together. */
    public static final int MOST_PICTURES = 1_000;
    /** Guidance if nothing else is said. */
    public static final double DEFAULT_GUIDANCE = 4;

    private static final long RANDOM_SEEDS = 1L << 32;

    private final Settings all;

    private ImageRequest(Settings all) {
        this.all = all;
    }

    /** @param seed empty for one that is drawn at random when the request is submitted */
    private record Settings(String prompt, String negative, int steps, Guidance guidance, OptionalLong seed, int batch,
        Optional<String> scheduler, OptionalInt width, OptionalInt height, int previewEvery, Conditioning conditioning,
        Optional<GivenImage> given) {
        Settings {
            Objects.requireNonNull(prompt, "prompt");
            Objects.requireNonNull(negative, "negative");
            Objects.requireNonNull(conditioning, "conditioning");
            if (steps < 1 || steps > MOST_STEPS) {
                throw new IllegalArgumentException("a picture takes 1 to " + MOST_STEPS + " steps, not " + steps);
            }
            if (batch < 1 || batch > MOST_PICTURES) {
                throw new IllegalArgumentException("a batch has 1 to " + MOST_PICTURES + " pictures, not " + batch);
            }
            if (seed.orElse(0) > Long.MAX_VALUE - batch + 1) {
                throw new IllegalArgumentException("the seeds of " + batch + " pictures from " + seed.getAsLong()
                    + " on go beyond " + Long.MAX_VALUE);
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
    }

    /** The usual request for a prompt: all that is not said is the model's own or a default of this class. */
    public static ImageRequest of(String prompt) {
        return new ImageRequest(new Settings(prompt, "", DEFAULT_STEPS, Guidance.of(DEFAULT_GUIDANCE),
            OptionalLong.empty(), 1, Optional.empty(), OptionalInt.empty(), OptionalInt.empty(), 0,
            Conditioning.DEFAULT, Optional.empty()));
    }

    /** A seed as it is drawn for requests without one: 0 to 2³² - 1, short enough to be typed again. */
    public static long randomSeed() {
        return ThreadLocalRandom.current().nextLong(RANDOM_SEEDS);
    }

    /** What the picture shows. */
    public String prompt() {
        return all.prompt;
    }

    /** What it should not show; the empty text is the usual unconditional branch. */
    public String negative() {
        return all.negative;
    }

    /** Denoising steps. */
    public int steps() {
        return all.steps;
    }

    /** How much the prompt counts (classifier-free guidance); 1 or less switches it off, which halves the work. */
    public double guidance() {
        return all.guidance.weight();
    }

    /** How much of the spread that guidance adds is taken back, 0 to 1. */
    public double guidanceRescale() {
        return all.guidance.rescale();
    }

    /**
     * The seed of the initial noise: the same one gives the same noise for every plan and number of devices. Empty if
     * one is to be drawn at random, which {@link GeneratedImage#seed} tells.
     */
    public OptionalLong seed() {
        return all.seed;
    }

    /**
     * Pictures that are drawn together by one loop: the first of the seed, the next of the seed + 1 and so on. Engines
     * are built for a batch; another one has engines of its own.
     */
    public int batch() {
        return all.batch;
    }

    /** The noise scheduler by name, if not the model's own. */
    public Optional<String> scheduler() {
        return all.scheduler;
    }

    /** Pixels, if not those of a given picture or else the model's own. */
    public OptionalInt width() {
        return all.width;
    }

    /** Pixels, like {@link #width}. */
    public OptionalInt height() {
        return all.height;
    }

    /**
     * After every so many steps but the last comes a preview, the picture that the step expects in the end; 0 for none.
     */
    public int previewEvery() {
        return all.previewEvery;
    }

    /** What the model is told beside the prompt. */
    public Conditioning conditioning() {
        return all.conditioning;
    }

    /** A picture to start from, to repaint, or to enlarge. */
    public Optional<GivenImage> given() {
        return all.given;
    }

    public ImageRequest withNegative(String text) {
        return new ImageRequest(new Settings(all.prompt, text, all.steps, all.guidance, all.seed, all.batch,
            all.scheduler, all.width, all.height, all.previewEvery, all.conditioning, all.given));
    }

    public ImageRequest withSteps(int count) {
        return new ImageRequest(new Settings(all.prompt, all.negative, count, all.guidance, all.seed, all.batch,
            all.scheduler, all.width, all.height, all.previewEvery, all.conditioning, all.given));
    }

    public ImageRequest withGuidance(double weight) {
        return withGuidance(all.guidance.withWeight(weight));
    }

    /** @param strength 0 to 1, see {@link #guidanceRescale}; a request without guidance refuses it */
    public ImageRequest withGuidanceRescale(double strength) {
        return withGuidance(all.guidance.withRescale(strength));
    }

    private ImageRequest withGuidance(Guidance other) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, other, all.seed, all.batch,
            all.scheduler, all.width, all.height, all.previewEvery, all.conditioning, all.given));
    }

    public ImageRequest withSeed(long number) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, OptionalLong.of(number),
            all.batch, all.scheduler, all.width, all.height, all.previewEvery, all.conditioning, all.given));
    }

    public ImageRequest withBatch(int pictures) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, all.seed, pictures,
            all.scheduler, all.width, all.height, all.previewEvery, all.conditioning, all.given));
    }

    /** As {@link SamplingMethod} has them; {@code -karras} and the like behind a name space its noise levels. */
    public ImageRequest withScheduler(String name) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, all.seed, all.batch,
            Optional.of(name), all.width, all.height, all.previewEvery, all.conditioning, all.given));
    }

    public ImageRequest withScheduler(SamplingMethod method) {
        return withScheduler(method.label());
    }

    public ImageRequest withSize(int wide, int high) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, all.seed, all.batch,
            all.scheduler, OptionalInt.of(wide), OptionalInt.of(high), all.previewEvery, all.conditioning, all.given));
    }

    public ImageRequest withPreviewEvery(int count) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, all.seed, all.batch,
            all.scheduler, all.width, all.height, count, all.conditioning, all.given));
    }

    public ImageRequest withConditioning(Conditioning told) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, all.seed, all.batch,
            all.scheduler, all.width, all.height, all.previewEvery, told, all.given));
    }

    public ImageRequest withGiven(GivenImage picture) {
        return new ImageRequest(new Settings(all.prompt, all.negative, all.steps, all.guidance, all.seed, all.batch,
            all.scheduler, all.width, all.height, all.previewEvery, all.conditioning, Optional.of(picture)));
    }

    /** The request for one of the pictures, alone. */
    ImageRequest forPicture(int index) {
        return withSeed(all.seed.orElseThrow() + index).withBatch(1);
    }

    /** How the prompt is set against the negative one. */
    Guidance guide() {
        return all.guidance;
    }

    /** What a recipe must know of it. @param begins whether the model takes the first steps */
    RecipeRequest forRecipe(boolean begins) {
        return new RecipeRequest(all.width, all.height, guidance(), all.conditioning.saysSizes(),
            all.given.map(GivenImage::forRecipe), begins);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ImageRequest request && all.equals(request.all);
    }

    @Override
    public int hashCode() {
        return all.hashCode();
    }

    @Override
    public String toString() {
        return "ImageRequest" + all.toString().substring("Settings".length());
    }
}
