package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.text.PromptReading;
import java.util.Objects;
import java.util.Optional;

/**
 * What a model is told beside prompt and latents, and how the prompt is read.
 *
 * @param clipSkip how many of the text encoders' last layers are left out beyond those that the model always leaves out
 * @param reading whether prompts have weights in brackets, and what becomes of those that are too long
 * @param sizes what SDXL is told of the picture's sizes; if not said, the size of the picture and no crop. Models that
 *     are told nothing of sizes refuse it
 */
public record Conditioning(int clipSkip, PromptReading reading, Optional<Sizes> sizes) {
    public static final Conditioning DEFAULT = new Conditioning(0, PromptReading.DEFAULT, Optional.empty());

    public Conditioning {
        Objects.requireNonNull(reading, "reading");
        if (clipSkip < 0) {
            throw new IllegalArgumentException("clip_skip is 0 or more, not " + clipSkip);
        }
    }

    /**
     * SDXL's micro-conditioning (Podell et al. 2023, section 2.2): what a training picture of such a look went through.
     *
     * @param original the size before it was scaled and cropped; small ones look blurred
     * @param cropLeft pixels that were cut off at the left; likewise {@code cropTop}
     * @param target the size after that; the drawn picture's if not said
     */
    public record Sizes(Optional<Size> original, int cropLeft, int cropTop, Optional<Size> target) {
        public Sizes {
            if (cropLeft < 0 || cropTop < 0) {
                throw new IllegalArgumentException("a crop starts at 0 or more, not at " + cropLeft + "," + cropTop);
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

    public Conditioning withClipSkip(int layers) {
        return new Conditioning(layers, reading, sizes);
    }

    public Conditioning withReading(PromptReading way) {
        return new Conditioning(clipSkip, way, sizes);
    }

    public Conditioning withSizes(Sizes told) {
        return new Conditioning(clipSkip, reading, Optional.of(told));
    }
}
