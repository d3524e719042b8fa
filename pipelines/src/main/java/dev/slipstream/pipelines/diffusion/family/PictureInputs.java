package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.ImageEncoder;
import dev.slipstream.pipelines.diffusion.component.PictureReader;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import java.util.List;
import java.util.Optional;

/**
 * What the further channels of a denoiser are made of.
 *
 * @param given the picture that the request brings
 * @param width of what is drawn, in pixels; likewise {@code height}
 * @param noises one for each picture of the batch
 * @param encoder makes latents of pictures, where the recipe wants that
 * @param reader sees pictures, where the recipe wants that
 * @param latents numbers in the latents of one picture
 * @param film what the request says of a video
 */
public record PictureInputs(Optional<Picture> given, int width, int height, int pixelsPerLatent, List<Noise> noises,
    Optional<ImageEncoder> encoder, Optional<PictureReader> reader, long latents,
    Optional<RecipeRequest.Film> film) {

    /** The picture of a request that has been checked to bring one. */
    Picture picture() {
        return given.orElseThrow();
    }

    /** All parts, one after another. */
    static float[] joined(List<float[]> parts) {
        float[] whole = new float[parts.stream().mapToInt(part -> part.length).reduce(0, Math::addExact)];
        int place = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, whole, place, part.length);
            place += part.length;
        }
        return whole;
    }
}
