package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.List;

/** Makes pictures of what a step expects to become of the latents; none for steps that want none. */
interface Previewer {
    List<Image> previews(int step);
}
