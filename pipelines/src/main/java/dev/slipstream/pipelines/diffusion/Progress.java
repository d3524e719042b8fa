package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Optional;

/**
 * How far a generation is.
 *
 * @param step steps done, 1 for the first
 * @param steps steps in all
 * @param preview what the latents look like now, when the request asked for it at this step
 */
public record Progress(int step, int steps, Optional<Image> preview) {
}
