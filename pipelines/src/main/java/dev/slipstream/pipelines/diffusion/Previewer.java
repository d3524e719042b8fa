package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.Optional;

/** Makes a picture of what a step expects to become of the latents, for the steps that want one. */
interface Previewer {
    Optional<Image> preview(int step);
}
