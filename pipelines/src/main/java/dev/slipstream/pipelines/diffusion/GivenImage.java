package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * A picture to start from, to repaint, or to enlarge, as the model and the rest decide: an upscaler enlarges it; with a
 * mask it is repainted where the mask is white; else it is drawn anew in its own image. Immutable; any thread may use
 * it. Numbers out of range, and a mask of another size, are an {@link IllegalArgumentException} here.
 */
public final class GivenImage {
    private static final double USUAL_STRENGTH = 0.8;

    private final Settings all;

    private GivenImage(Settings all) {
        this.all = all;
    }

    private record Settings(Image image, OptionalDouble strength, Optional<Image> mask, OptionalInt noiseLevel) {
        Settings {
            Objects.requireNonNull(image, "image");
            strength.ifPresent(share -> {
                if (!(share > 0 && share <= 1)) {
                    throw new IllegalArgumentException("the strength is more than 0 and at most 1, not " + share);
                }
            });
            mask.ifPresent(it -> {
                if (it.width() != image.width() || it.height() != image.height()) {
                    throw new IllegalArgumentException("the mask has " + it + " pixels and the picture " + image
                        + "; they must have the same size");
                }
            });
            noiseLevel.ifPresent(level -> {
                if (level < 0) {
                    throw new IllegalArgumentException("the noise level is 0 or more, not " + level);
                }
            });
        }
    }

    public static GivenImage of(Image image) {
        return new GivenImage(
            new Settings(image, OptionalDouble.empty(), Optional.empty(), OptionalInt.empty()));
    }

    public Image image() {
        return all.image;
    }

    /**
     * How much is drawn anew, more than 0 and at most 1: this share of the steps is taken, the last ones. If not said
     * 0.8, and 1 with a mask.
     */
    public OptionalDouble strength() {
        return all.strength;
    }

    /** What is at least half white is repainted. */
    public Optional<Image> mask() {
        return all.mask;
    }

    /** Timestep of the noise with which upscalers blur the picture; 20 if not said. */
    public OptionalInt noiseLevel() {
        return all.noiseLevel;
    }

    public GivenImage withStrength(double share) {
        return new GivenImage(new Settings(all.image, OptionalDouble.of(share), all.mask, all.noiseLevel));
    }

    /** @param white of the picture's size */
    public GivenImage withMask(Image white) {
        return new GivenImage(new Settings(all.image, all.strength, Optional.of(white), all.noiseLevel));
    }

    public GivenImage withNoiseLevel(int timestep) {
        return new GivenImage(new Settings(all.image, all.strength, all.mask, OptionalInt.of(timestep)));
    }

    /** What a recipe must know of it. */
    Picture forRecipe() {
        return new Picture(all.image, all.mask, all.strength.isPresent(), all.noiseLevel);
    }

    double usedStrength() {
        return all.strength.orElse(all.mask.isPresent() ? 1 : USUAL_STRENGTH);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof GivenImage given && all.equals(given.all);
    }

    @Override
    public int hashCode() {
        return all.hashCode();
    }

    @Override
    public String toString() {
        return "GivenImage" + all.toString().substring("Settings".length());
    }
}
