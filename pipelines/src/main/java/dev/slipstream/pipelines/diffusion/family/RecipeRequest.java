package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.diffusion.text.PromptReading;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What a recipe must know of a request.
 *
 * @param width pixels, if said; likewise {@code height}
 * @param guidanceWeight how much the prompt counts
 * @param saysSizes whether it says what {@link MicroConditioning} is
 * @param begins whether the model takes the first steps, and no other has drawn before
 * @param film what it says of the video that it is for, if it is for one
 */
public record RecipeRequest(OptionalInt width, OptionalInt height, double guidanceWeight, Wording wording,
    boolean saysSizes, Optional<Picture> picture, boolean begins, Optional<Film> film) {

    /** For pictures. */
    public RecipeRequest(OptionalInt width, OptionalInt height, double guidanceWeight, Wording wording,
        boolean saysSizes, Optional<Picture> picture, boolean begins) {
        this(width, height, guidanceWeight, wording, saysSizes, picture, begins, Optional.empty());
    }

    /**
     * What is said in words.
     *
     * @param label number or name of a class, if said
     * @param clipSkip how many of the last layers of text encoders are to be left out
     */
    public record Wording(String prompt, String negative, Optional<String> label, PromptReading reading,
        int clipSkip) {
    }

    /**
     * What a request says of a video, as far as it is said.
     *
     * @param framesPerSecond at which it is shown, and which a model may be told
     * @param motion how much moves, a number of a model's own
     * @param noise how much of it the picture is blurred with, a deviation where colours are from -1 to 1
     * @param firstGuidance how much the prompt counts for the first frame, from which it grows to the last
     * @param together how many frames are decoded together
     */
    public record Film(OptionalInt frames, OptionalInt framesPerSecond, OptionalInt motion, OptionalDouble noise,
        OptionalDouble firstGuidance, OptionalInt together) {
        /** Nothing is said. */
        public static final Film USUAL = new Film(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(),
            OptionalDouble.empty(), OptionalDouble.empty(), OptionalInt.empty());
    }

    /**
     * The picture that a request brings.
     *
     * @param mask of the same size; what is at least half white is drawn
     * @param saysStrength whether it says how much is drawn anew
     * @param noiseLevel timestep of the noise with which it is to be blurred, if said
     */
    public record Picture(Image image, Optional<Image> mask, boolean saysStrength, OptionalInt noiseLevel) {
        /** The picture and its mask in another size; this one if it has that size. */
        public Picture scaledTo(int width, int height) {
            return image.width() == width && image.height() == height ? this
                : new Picture(image.scaledTo(width, height), mask.map(it -> it.scaledTo(width, height)), saysStrength,
                    noiseLevel);
        }
    }

    boolean isMasked() {
        return picture.filter(it -> it.mask().isPresent()).isPresent();
    }
}
