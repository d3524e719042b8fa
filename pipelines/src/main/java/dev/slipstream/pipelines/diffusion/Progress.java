package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Optional;

/**
 * How far a generation is.
 *
 * @param step steps done, 1 for the first
 * @param steps steps in all
 * @param preview the picture that this step expects in the end, when the request asked for it at this step: first a
 *     blurred mean of all that it may become, then ever more like the result
 */
public record Progress(int step, int steps, Optional<Image> preview) {
}
