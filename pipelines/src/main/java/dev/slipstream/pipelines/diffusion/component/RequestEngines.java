package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.run.Execution;
import java.util.Optional;

/**
 * What one model has for one request, as {@link RequestKeys} ask for it; all of it is built, and belongs to the
 * {@link EngineCache}.
 *
 * @param decoder there is none where another model takes the last steps
 * @param previewDecoder is there if previews are not decoded as pictures are
 * @param pictureEncoder is there if a picture of the request becomes latents
 * @param pictureReader is there if the denoiser is told what the request's picture shows
 * @param spare what the loop leaves of its devices' time, where that is used
 */
public record RequestEngines(TextEncoder text, Execution loop, Optional<LatentsDecoder> decoder,
    Optional<LatentsDecoder> previewDecoder, Optional<ImageEncoder> pictureEncoder,
    Optional<PictureReader> pictureReader, Optional<SpareTime> spare) {
}
