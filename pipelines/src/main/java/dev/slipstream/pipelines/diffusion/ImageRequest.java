package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.family.Usual;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What to draw. Immutable; start from {@link #of} and change what matters. Any thread may use it. No argument may be
 * null. What is wrong whatever the model is an {@link IllegalArgumentException} here; what a model cannot do is found
 * out when the request is submitted.
 */
public final class ImageRequest {
    /** Steps that most families of models take if nothing else is said; others have their own usual number. */
    public static final int DEFAULT_STEPS = Usual.STEPS;
    /** No more are taken in one request, whatever the noise scheduler. */
    public static final int MOST_STEPS = 10_000;
    /** No more are drawn together. */
    public static final int MOST_PICTURES = 1_000;
    /** Guidance of most families if nothing else is said; others have their own. */
    public static final double DEFAULT_GUIDANCE = Usual.GUIDANCE;

    private static final long RANDOM_SEEDS = 1L << 32;

    private final RequestCore core;
    private final Pictures own;

    private ImageRequest(RequestCore core, Pictures own) {
        long first = core.seed().orElse(0);
        if (first > Long.MAX_VALUE - own.batch + 1) {
            throw new IllegalArgumentException("the seeds of " + own.batch + " pictures from " + first
                + " on go beyond " + Long.MAX_VALUE);
        }
        this.core = core;
        this.own = own;
    }

    /** What only requests for pictures say. */
    private record Pictures(int batch, Optional<GivenImage> given) {
        Pictures {
            if (batch < 1 || batch > MOST_PICTURES) {
                throw new IllegalArgumentException("a batch has 1 to " + MOST_PICTURES + " pictures, not " + batch);
            }
        }
    }

    /** The usual request for a prompt: all that is not said is the model's own or a default of this class. */
    public static ImageRequest of(String prompt) {
        return new ImageRequest(RequestCore.of(prompt), new Pictures(1, Optional.empty()));
    }

    /** A request for a picture of a class, for models that were taught classes: see {@link Conditioning#classLabel}. */
    public static ImageRequest ofClass(int number) {
        return ofClass(Integer.toString(number));
    }

    /** A request for a picture of a class. @param label number or name of it */
    public static ImageRequest ofClass(String label) {
        return of("").withConditioning(Conditioning.DEFAULT.withClassLabel(label));
    }

    /** A seed as it is drawn for requests without one: 0 to 2³² - 1, short enough to be typed again. */
    public static long randomSeed() {
        return ThreadLocalRandom.current().nextLong(RANDOM_SEEDS);
    }

    /** What the picture shows. */
    public String prompt() {
        return core.prompt();
    }

    /** What it should not show; the empty text is the usual unconditional branch. */
    public String negative() {
        return core.negative();
    }

    /** Denoising steps; empty for the model's usual number, which {@link PipelineSpec#completed} fills in. */
    public OptionalInt steps() {
        return core.steps();
    }

    /**
     * How much the prompt counts (classifier-free guidance); 1 or less switches it off, which halves the work. Empty
     * for what is usual with the model, which {@link PipelineSpec#completed} fills in.
     */
    public OptionalDouble guidance() {
        return core.weight();
    }

    /** How much of the spread that guidance adds is taken back, 0 to 1. */
    public double guidanceRescale() {
        return core.rescale();
    }

    /**
     * The seed of the initial noise: the same one gives the same noise for every plan and number of devices. Empty if
     * one is to be drawn at random, which {@link GeneratedImage#seed} tells.
     */
    public OptionalLong seed() {
        return core.seed();
    }

    /**
     * Pictures that are drawn together by one loop: the first of the seed, the next of the seed + 1 and so on. Engines
     * are built for a batch; another one has engines of its own.
     */
    public int batch() {
        return own.batch;
    }

    /** The noise scheduler by name, if not the model's own. */
    public Optional<String> scheduler() {
        return core.scheduler();
    }

    /** Pixels, if not those of a given picture or else the model's own. */
    public OptionalInt width() {
        return core.width();
    }

    /** Pixels, like {@link #width}. */
    public OptionalInt height() {
        return core.height();
    }

    /**
     * After every so many steps but the last comes a preview, the picture that the step expects in the end; 0 for none.
     */
    public int previewEvery() {
        return core.previewEvery();
    }

    /** What the model is told beside the prompt. */
    public Conditioning conditioning() {
        return core.conditioning();
    }

    /** What it has to do with the pipeline's cache of latents: nothing, if not said. */
    public CacheUse cache() {
        return core.cache();
    }

    /** A picture to start from, to repaint, or to enlarge. */
    public Optional<GivenImage> given() {
        return own.given;
    }

    public ImageRequest withNegative(String text) {
        return with(core.withNegative(text));
    }

    public ImageRequest withSteps(int count) {
        return with(core.withSteps(count));
    }

    public ImageRequest withGuidance(double weight) {
        return with(core.withGuidance(OptionalDouble.of(weight), core.rescale()));
    }

    /** @param strength 0 to 1, see {@link #guidanceRescale}; a request without guidance refuses it */
    public ImageRequest withGuidanceRescale(double strength) {
        return with(core.withGuidance(core.weight(), strength));
    }

    public ImageRequest withSeed(long number) {
        return with(core.withSeed(number));
    }

    public ImageRequest withBatch(int pictures) {
        return new ImageRequest(core, new Pictures(pictures, own.given));
    }

    /** As {@link SamplingMethod} has them; {@code -karras} and the like behind a name space its noise levels. */
    public ImageRequest withScheduler(String name) {
        return with(core.withScheduler(name));
    }

    public ImageRequest withScheduler(SamplingMethod method) {
        return withScheduler(method.label());
    }

    public ImageRequest withSize(int wide, int high) {
        return with(core.withSize(wide, high));
    }

    public ImageRequest withPreviewEvery(int count) {
        return with(core.withPreviewEvery(count));
    }

    public ImageRequest withConditioning(Conditioning told) {
        return with(core.withConditioning(told));
    }

    /**
     * Whether it may go on from latents of other requests, which changes its picture, and whether others may go on from
     * its own. A pipeline without a cache refuses it ({@link DiffusionPipeline.Builder#latentCache}).
     */
    public ImageRequest withCache(CacheUse use) {
        return with(core.withCache(use));
    }

    /** The same as {@link Conditioning#withControls}: one picture for each ControlNet, in their order. */
    public ImageRequest withControls(ControlImage... pictures) {
        return withConditioning(conditioning().withControls(List.of(pictures)));
    }

    public ImageRequest withGiven(GivenImage picture) {
        return new ImageRequest(core, new Pictures(own.batch, Optional.of(picture)));
    }

    private ImageRequest with(RequestCore changed) {
        return new ImageRequest(changed, own);
    }

    /** The request for one of the pictures, alone. */
    ImageRequest forPicture(int index) {
        return withSeed(core.seed().orElseThrow() + index).withBatch(1);
    }

    /** The request with what is usual in place of what it does not say. */
    ImageRequest withUsual(Usual usual) {
        return with(core.withUsual(usual));
    }

    /** The steps of a request that says them, as {@link #withUsual} does. */
    int saidSteps() {
        return core.steps().orElseThrow();
    }

    /** What a pipeline makes of it. */
    RequestCore.Drawing drawing() {
        return new RequestCore.Drawing(core, own.batch, own.given, Optional.empty());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ImageRequest request && core.equals(request.core) && own.equals(request.own);
    }

    @Override
    public int hashCode() {
        return Objects.hash(core, own);
    }

    @Override
    public String toString() {
        return "ImageRequest[" + core + ", " + own + "]";
    }
}
