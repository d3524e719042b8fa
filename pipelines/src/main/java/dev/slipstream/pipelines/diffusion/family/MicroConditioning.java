package dev.slipstream.pipelines.diffusion.family;

/**
 * What SDXL is told of sizes, in pixels (Podell et al. 2023, section 2.2).
 *
 * @param originalHeight of a training picture of such a look, before it was scaled and cropped
 * @param cropTop pixels that were cut off at the top
 * @param targetHeight after that
 */
public record MicroConditioning(int originalHeight, int originalWidth, int cropTop, int cropLeft, int targetHeight,
    int targetWidth) {
}
