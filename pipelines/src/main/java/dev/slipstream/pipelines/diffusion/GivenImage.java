package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * A picture to start from, to repaint, or to enlarge, as the model and the rest decide: an upscaler enlarges it; with a
 * mask it is repainted where the mask is white; else it is drawn anew in its own image.
 *
 * @param strength how much is drawn anew, from 0 to 1: this share of the steps is taken, the last ones; if not said
 *     0.8, and 1 with a mask
 * @param mask of the picture's size; what is at least half white is repainted
 * @param noiseLevel timestep of the noise with which upscalers blur the picture; 20 if not said
 */
public record GivenImage(Image image, OptionalDouble strength, Optional<Image> mask, OptionalInt noiseLevel) {
    private static final double USUAL_STRENGTH = 0.8;
    private static final int USUAL_NOISE_LEVEL = 20;

    public GivenImage {
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

    public static GivenImage of(Image image) {
        return new GivenImage(image, OptionalDouble.empty(), Optional.empty(), OptionalInt.empty());
    }

    public GivenImage withStrength(double share) {
        return new GivenImage(image, OptionalDouble.of(share), mask, noiseLevel);
    }

    public GivenImage withMask(Image white) {
        return new GivenImage(image, strength, Optional.of(white), noiseLevel);
    }

    public GivenImage withNoiseLevel(int timestep) {
        return new GivenImage(image, strength, mask, OptionalInt.of(timestep));
    }

    /** The picture and its mask in another size; this one if it has that size. */
    GivenImage scaledTo(int width, int height) {
        return image.width() == width && image.height() == height ? this
            : new GivenImage(image.scaledTo(width, height), strength, mask.map(it -> it.scaledTo(width, height)),
                noiseLevel);
    }

    double usedStrength() {
        return strength.orElse(mask.isPresent() ? 1 : USUAL_STRENGTH);
    }

    int usedNoiseLevel() {
        return noiseLevel.orElse(USUAL_NOISE_LEVEL);
    }
}
