package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.List;
import java.util.Optional;

/**
 * How far a generation is. Immutable; any thread may use it.
 *
 * @param step steps done, 1 for the first
 * @param steps steps in all
 * @param previews the pictures that this step expects in the end, when the request asked for them at this step, one for
 *     each of its batch: first a blurred mean of all that they may become, then ever more like the results. Else none
 */
public record Progress(int step, int steps, List<Image> previews) {
    public Progress {
        previews = List.copyOf(previews);
    }

    /** The preview of the picture, of a batch that of the first. */
    public Optional<Image> preview() {
        return previews.stream().findFirst();
    }
}
