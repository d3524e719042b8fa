package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Film;
import dev.slipstream.pipelines.diffusion.family.Usual;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.reuse.CacheUse;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What video to make: of a picture or of a text, as the model wants it. Immutable; start from {@link #of} and change
 * what matters; all that is not said is the model's own. Any thread may use it. No argument may be null. What is wrong
 * whatever the model is an {@link IllegalArgumentException} here; what a model cannot do is found out when the request
 * is submitted.
 */
public final class VideoRequest {
    /** No video has more frames. */
    public static final int MOST_FRAMES = 1_000;
    /** No video is shown faster. */
    public static final int MOST_FRAMES_PER_SECOND = 240;

    private static final int MOST_MOTION = 1 << 20;

    private final RequestCore core;
    private final Own own;

    private VideoRequest(RequestCore core, Own own) {
        this.core = core;
        this.own = own;
    }

    /** What only requests for videos say. */
    private record Own(Optional<Image> picture, OptionalInt frames, OptionalInt framesPerSecond, OptionalInt motion,
        OptionalDouble noise, OptionalDouble firstGuidance, OptionalInt together) {
        static final Own NOTHING = new Own(Optional.empty(), OptionalInt.empty(), OptionalInt.empty(),
            OptionalInt.empty(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());

        Own {
            require(frames, 1, MOST_FRAMES, "a video has 1 to " + MOST_FRAMES + " frames");
            require(framesPerSecond, 1, MOST_FRAMES_PER_SECOND,
                "a video is shown at 1 to " + MOST_FRAMES_PER_SECOND + " frames a second");
            require(motion, 0, MOST_MOTION, "the motion bucket is a number from 0 to " + MOST_MOTION);
            require(together, 1, MOST_FRAMES, "1 to " + MOST_FRAMES + " frames are decoded together");
            noise.ifPresent(share -> {
                if (!(share >= 0 && share <= 1)) {
                    throw new IllegalArgumentException("noise augmentation is a number from 0 to 1, not " + share);
                }
            });
            firstGuidance.ifPresent(Guidance::of);
        }

        private static void require(OptionalInt number, int least, int most, String words) {
            number.ifPresent(it -> {
                if (it < least || it > most) {
                    throw new IllegalArgumentException(words + ", not " + it);
                }
            });
        }
    }

    /** The usual request for a video of a text. */
    public static VideoRequest of(String prompt) {
        return new VideoRequest(RequestCore.of(prompt), Own.NOTHING);
    }

    /** The usual request for a video that begins with a picture; it is scaled to the video's size. */
    public static VideoRequest of(Image picture) {
        return of("").withPicture(picture);
    }

    /** What the video shows; empty where a picture says it. */
    public String prompt() {
        return core.prompt();
    }

    /** What it should not show. */
    public String negative() {
        return core.negative();
    }

    /** With what it begins. */
    public Optional<Image> picture() {
        return own.picture;
    }

    /** How many pictures it consists of. */
    public OptionalInt frames() {
        return own.frames;
    }

    /** At which it is shown; Stable Video Diffusion is told it. */
    public OptionalInt framesPerSecond() {
        return own.framesPerSecond;
    }

    /** How much moves: Stable Video Diffusion is told it, 127 if not said, and was trained on 0 to 255. */
    public OptionalInt motionBucket() {
        return own.motion;
    }

    /**
     * How much noise blurs the picture, 0 to 1, the deviation where colours are from -1 to 1; Stable Video Diffusion is
     * told it, 0.02 if not said. More lets it move more.
     */
    public OptionalDouble noiseAugmentation() {
        return own.noise;
    }

    /** Guidance of the first frame, from which it grows to {@link #guidance}, where models grow it. */
    public OptionalDouble firstGuidance() {
        return own.firstGuidance;
    }

    /**
     * How many frames are decoded together, where the decoder knows of neighbours: all if not said. Fewer take less
     * memory, and change the video a little.
     */
    public OptionalInt decodeChunk() {
        return own.together;
    }

    /** Denoising steps; empty for the model's usual number, which {@link PipelineSpec#completed} fills in. */
    public OptionalInt steps() {
        return core.steps();
    }

    /**
     * How much the prompt or the picture counts (classifier-free guidance), where it grows for the last frame. Empty
     * for what is usual with the model, which {@link PipelineSpec#completed} fills in.
     */
    public OptionalDouble guidance() {
        return core.weight();
    }

    /** The seed of the noise, as {@link ImageRequest#seed}. */
    public OptionalLong seed() {
        return core.seed();
    }

    /** The noise scheduler by name, if not the model's own. */
    public Optional<String> scheduler() {
        return core.scheduler();
    }

    /** Pixels, if not the model's own. */
    public OptionalInt width() {
        return core.width();
    }

    /** Pixels, like {@link #width}. */
    public OptionalInt height() {
        return core.height();
    }

    /** After every so many steps but the last come previews, one of each frame; 0 for none. */
    public int previewEvery() {
        return core.previewEvery();
    }

    /** How prompts are read. */
    public Conditioning conditioning() {
        return core.conditioning();
    }

    public VideoRequest withNegative(String text) {
        return with(core.withNegative(text));
    }

    public VideoRequest withPicture(Image first) {
        return with(new Own(Optional.of(first), own.frames, own.framesPerSecond, own.motion, own.noise,
            own.firstGuidance, own.together));
    }

    public VideoRequest withFrames(int count) {
        return with(new Own(own.picture, OptionalInt.of(count), own.framesPerSecond, own.motion, own.noise,
            own.firstGuidance, own.together));
    }

    public VideoRequest withFramesPerSecond(int rate) {
        return with(new Own(own.picture, own.frames, OptionalInt.of(rate), own.motion, own.noise, own.firstGuidance,
            own.together));
    }

    public VideoRequest withMotionBucket(int number) {
        return with(new Own(own.picture, own.frames, own.framesPerSecond, OptionalInt.of(number), own.noise,
            own.firstGuidance, own.together));
    }

    public VideoRequest withNoiseAugmentation(double strength) {
        return with(new Own(own.picture, own.frames, own.framesPerSecond, own.motion, OptionalDouble.of(strength),
            own.firstGuidance, own.together));
    }

    public VideoRequest withFirstGuidance(double weight) {
        return with(new Own(own.picture, own.frames, own.framesPerSecond, own.motion, own.noise,
            OptionalDouble.of(weight), own.together));
    }

    public VideoRequest withDecodeChunk(int frames) {
        return with(new Own(own.picture, own.frames, own.framesPerSecond, own.motion, own.noise, own.firstGuidance,
            OptionalInt.of(frames)));
    }

    public VideoRequest withSteps(int count) {
        return with(core.withSteps(count));
    }

    public VideoRequest withGuidance(double weight) {
        return with(core.withGuidance(OptionalDouble.of(weight), 0));
    }

    public VideoRequest withSeed(long number) {
        return with(core.withSeed(number));
    }

    /** As {@link ImageRequest#withScheduler(String)}. */
    public VideoRequest withScheduler(String name) {
        return with(core.withScheduler(name));
    }

    public VideoRequest withScheduler(SamplingMethod method) {
        return withScheduler(method.label());
    }

    public VideoRequest withSize(int wide, int high) {
        return with(core.withSize(wide, high));
    }

    public VideoRequest withPreviewEvery(int count) {
        return with(core.withPreviewEvery(count));
    }

    public VideoRequest withConditioning(Conditioning told) {
        return with(core.withConditioning(told));
    }

    /** What it has to do with the pipeline's cache of latents; nothing, if not said. */
    public CacheUse cache() {
        return core.cache();
    }

    /** In all like {@link ImageRequest#withCache}. */
    public VideoRequest withCache(CacheUse use) {
        return with(core.withCache(use));
    }

    private VideoRequest with(RequestCore changed) {
        return new VideoRequest(changed, own);
    }

    private VideoRequest with(Own changed) {
        return new VideoRequest(core, changed);
    }

    /** What a pipeline makes of it. */
    RequestCore.Drawing drawing() {
        return new RequestCore.Drawing(core, 1, own.picture.map(GivenImage::of), Optional.of(new Film(own.frames,
            own.framesPerSecond, own.motion, own.noise, own.firstGuidance, own.together)));
    }

    /** The request with what is usual in place of what it does not say. */
    VideoRequest withUsual(Usual usual) {
        return with(core.withUsual(usual));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VideoRequest request && core.equals(request.core) && own.equals(request.own);
    }

    @Override
    public int hashCode() {
        return Objects.hash(core, own);
    }

    @Override
    public String toString() {
        return "VideoRequest[" + core + ", " + own + "]";
    }
}
