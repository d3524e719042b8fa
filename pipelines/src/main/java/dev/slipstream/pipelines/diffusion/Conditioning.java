package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.family.MicroConditioning;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Wording;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a model is told beside prompt and latents, and how the prompt is read. Immutable; any thread may use it.
 *
 * <p>Sizes and crop are SDXL's micro-conditioning (Podell et al. 2023, section 2.2): what a training picture of such a
 * look went through. Models that are told nothing of sizes refuse them when a request is submitted; numbers out of
 * range are an {@link IllegalArgumentException} here.
 */
public final class Conditioning {
    /** All as the model has it: prompts are plain text and cut where they are too long. */
    public static final Conditioning DEFAULT =
        new Conditioning(new Settings(0, PromptReading.DEFAULT, Sizes.OF_PICTURE, Optional.empty(), List.of()));

    private final Settings all;

    private Conditioning(Settings all) {
        this.all = all;
    }

    private record Settings(int clipSkip, PromptReading reading, Sizes sizes, Optional<String> label,
        List<ControlImage> controls) {
        Settings {
            controls = List.copyOf(controls);
            if (clipSkip < 0) {
                throw new IllegalArgumentException("clip_skip is 0 or more, not " + clipSkip);
            }
        }
    }

    /** Of {@link Conditioning}. */
    private record Sizes(Optional<Size> original, OptionalInt cropLeft, OptionalInt cropTop, Optional<Size> target) {
        static final Sizes OF_PICTURE =
            new Sizes(Optional.empty(), OptionalInt.empty(), OptionalInt.empty(), Optional.empty());

        Sizes {
            if (cropLeft.orElse(0) < 0 || cropTop.orElse(0) < 0) {
                throw new IllegalArgumentException("a crop starts at 0 or more, not at " + cropLeft.orElse(0) + ","
                    + cropTop.orElse(0));
            }
        }
    }

    /** Pixels. */
    public record Size(int width, int height) {
        public Size {
            if (width < 1 || height < 1) {
                throw new IllegalArgumentException("a picture has at least 1x1 pixels, not " + width + "x" + height);
            }
        }
    }

    /** How many of the text encoders' last layers are left out beyond those that the model always leaves out. */
    public int clipSkip() {
        return all.clipSkip;
    }

    /** Whether brackets change the weight of the text inside, as in {@code (star:1.3)}, instead of being text. */
    public boolean readsWeights() {
        return all.reading.weighted();
    }

    /** Whether a prompt that is too long is read in several parts, instead of being cut. */
    public boolean readsWhole() {
        return all.reading.whole();
    }

    /** The size before scaling and cropping; small ones look blurred. If not said, that of the picture. */
    public Optional<Size> originalSize() {
        return all.sizes.original;
    }

    /** Pixels that were cut off at the left; 0 if not said. */
    public int cropLeft() {
        return all.sizes.cropLeft.orElse(0);
    }

    /** Pixels that were cut off at the top; 0 if not said. */
    public int cropTop() {
        return all.sizes.cropTop.orElse(0);
    }

    /** The size after scaling and cropping; if not said, that of the picture. */
    public Optional<Size> targetSize() {
        return all.sizes.target;
    }

    /**
     * The class of which a picture is drawn, as its number or one of its names, by models that were taught classes (and
     * no texts); for them a prompt that is such a number or name says the same. Other models refuse it when a request
     * is submitted.
     */
    public Optional<String> classLabel() {
        return all.label;
    }

    /** What the ControlNets of the pipeline are given, one for each, in their order. */
    public List<ControlImage> controls() {
        return all.controls;
    }

    public Conditioning withClipSkip(int layers) {
        return new Conditioning(new Settings(layers, all.reading, all.sizes, all.label, all.controls));
    }

    public Conditioning withWeights(boolean read) {
        return withReading(new PromptReading(read, readsWhole()));
    }

    public Conditioning withWholePrompts(boolean read) {
        return withReading(new PromptReading(readsWeights(), read));
    }

    private Conditioning withReading(PromptReading way) {
        return new Conditioning(new Settings(all.clipSkip, way, all.sizes, all.label, all.controls));
    }

    /** @param numberOrName see {@link #classLabel} */
    public Conditioning withClassLabel(String numberOrName) {
        return new Conditioning(new Settings(all.clipSkip, all.reading, all.sizes,
            Optional.of(Objects.requireNonNull(numberOrName, "numberOrName")), all.controls));
    }

    public Conditioning withOriginalSize(Size size) {
        return withSizes(new Sizes(Optional.of(size), all.sizes.cropLeft, all.sizes.cropTop, all.sizes.target));
    }

    /** @param left pixels; likewise {@code top} */
    public Conditioning withCrop(int left, int top) {
        return withSizes(new Sizes(all.sizes.original, OptionalInt.of(left), OptionalInt.of(top), all.sizes.target));
    }

    public Conditioning withTargetSize(Size size) {
        return withSizes(new Sizes(all.sizes.original, all.sizes.cropLeft, all.sizes.cropTop, Optional.of(size)));
    }

    private Conditioning withSizes(Sizes told) {
        return new Conditioning(new Settings(all.clipSkip, all.reading, told, all.label, all.controls));
    }

    /** @param pictures one for each ControlNet of the pipeline, in their order, instead of those given before */
    public Conditioning withControls(List<ControlImage> pictures) {
        return new Conditioning(new Settings(all.clipSkip, all.reading, all.sizes, all.label, pictures));
    }

    /** Whether anything is told of sizes. */
    boolean saysSizes() {
        return !all.sizes.equals(Sizes.OF_PICTURE);
    }

    /** What is said in words. */
    Wording wording(String prompt, String negative) {
        return new Wording(prompt, negative, all.label, all.reading, all.clipSkip);
    }

    PromptReading reading() {
        return all.reading;
    }

    /** What is told of sizes; what is not said is the size of what is drawn. */
    MicroConditioning sizes(int width, int height) {
        Size drawn = new Size(width, height);
        Size original = originalSize().orElse(drawn);
        Size target = targetSize().orElse(drawn);
        return new MicroConditioning(original.height(), original.width(), cropTop(), cropLeft(), target.height(),
            target.width());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Conditioning conditioning && all.equals(conditioning.all);
    }

    @Override
    public int hashCode() {
        return all.hashCode();
    }

    @Override
    public String toString() {
        return "Conditioning" + all.toString().substring("Settings".length());
    }
}
