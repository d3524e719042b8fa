package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.model.RequestException;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which sizes a model's latents can have.
 *
 * @param pixelsPerLatent along each side
 * @param multiple of which height and width of the latents must be
 * @param usual that the model was trained on
 */
public record LatentGrid(int pixelsPerLatent, int multiple, Size usual) {
    /** Latent pixels. */
    public record Size(long height, long width) {
    }

    /**
     * The size that is said, else that of the picture, else the usual one.
     *
     * @throws RequestException if the denoiser does not take it
     */
    Size wanted(RecipeRequest request) {
        return new Size(
            side("height", request.height(), request.picture().map(picture -> picture.image().height()),
                usual.height()),
            side("width", request.width(), request.picture().map(picture -> picture.image().width()), usual.width()));
    }

    private long side(String name, OptionalInt wanted, Optional<Integer> given, long instead) {
        if (wanted.isEmpty() && given.isEmpty()) {
            return instead;
        }
        int pixels = wanted.orElseGet(given::get);
        int step = pixelsPerLatent * multiple;
        if (pixels < step || pixels % step != 0) {
            int below = pixels / step * step;
            throw new RequestException("the " + name + " must be a multiple of " + step
                + " pixels for this model, " + (below == 0 ? "" : below + " or ") + (below + step) + ", not "
                + pixels + (wanted.isEmpty() ? ", as the given picture has; say a size to which it is scaled" : ""));
        }
        return pixels / pixelsPerLatent;
    }
}
