package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Optional;

/** Makes a picture of unfinished latents, for the steps that want one. */
interface Previewer {
    Optional<Image> preview(int step);
}
