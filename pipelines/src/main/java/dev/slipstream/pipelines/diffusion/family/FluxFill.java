package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * FLUX.1 fill (Black Forest Labs 2024): repaints part of a picture. Behind the latents the denoiser takes those of the
 * known part, and the mask with all of its pixels: as many channels as a latent has pixels, row by row.
 */
final class FluxFill extends Flux {
    static final Set<String> PIPELINES = Set.of("FluxFillPipeline");

    /** Pixels along a side of a latent, in all of FLUX's autoencoders. */
    private static final int SIDE = 8;
    /** diffusers' defaults. */
    private static final Usual USUAL = new Usual(50, 30);

    private FluxFill(TextEncoders texts, ModelParts parts) {
        super(texts, parts, true);
    }

    static Optional<Recipe> open(ModelParts parts) {
        return texts(parts, parts.config().outChannels() + SIDE * SIDE).map(texts -> new FluxFill(texts, parts));
    }

    @Override
    public Usual usual() {
        return USUAL;
    }

    @Override
    List<float[]> maskedChannels(Image mask, float[] known, int pixelsPerLatent) {
        return List.of(known, RepaintMask.pixels(mask, pixelsPerLatent));
    }
}
