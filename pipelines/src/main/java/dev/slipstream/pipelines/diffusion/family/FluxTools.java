package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.image.Image;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** FLUX.1 tools (Black Forest Labs 2024): models whose denoiser takes a picture behind the latents. */
abstract class FluxTools extends Flux {
    private FluxTools(ModelParts parts, boolean takesMaskedPicture) {
        super(parts, takesMaskedPicture);
    }

    /**
     * FLUX.1 fill repaints part of a picture. Behind the latents the denoiser takes those of the known part, and the
     * mask with all of its pixels: as many channels as a latent has pixels, row by row.
     */
    static final class Fill extends FluxTools {
        static final Set<String> PIPELINES = Set.of("FluxFillPipeline");

        /** Pixels along a side of a latent, in all of FLUX's autoencoders. */
        private static final int SIDE = 8;
        /** diffusers' defaults. */
        private static final Usual USUAL = new Usual(50, 30);

        Fill(ModelParts parts) {
            super(parts, true);
        }

        static boolean fits(ModelParts parts) {
            return parts.furtherChannels() == parts.config().outChannels() + SIDE * SIDE;
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

    /**
     * FLUX.1 canny and depth draw along the edges or the depths that the given picture shows, the latents of which the
     * denoiser takes behind those that it draws.
     */
    static final class Control extends FluxTools {
        static final Set<String> PIPELINES = Set.of("FluxControlPipeline");

        Control(ModelParts parts) {
            super(parts, false);
        }

        static boolean fits(ModelParts parts) {
            return parts.furtherChannels() == parts.config().outChannels();
        }

        @Override
        public boolean startsFromPicture() {
            return false;
        }

        @Override
        public boolean putsKnownPartBack() {
            return false;
        }

        @Override
        public Optional<float[]> extraChannels(PictureInputs inputs) {
            Picture shown = inputs.picture().scaledTo(inputs.width(), inputs.height());
            return Optional.of(inputs.encoder().orElseThrow().encode(Planes.of(shown.image()), inputs.noises(), 0));
        }

        @Override
        public void check(RecipeRequest request) {
            super.check(request);
            refuse(request.picture().isEmpty(), "this model draws along a picture of edges or depths; give one");
            refuse(request.isMasked() || request.picture().get().saysStrength(),
                "this model draws along the picture; leave out mask and strength");
        }
    }
}
