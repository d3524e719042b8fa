package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.diffusion.denoise.RepaintMask;
import dev.slipstream.pipelines.diffusion.family.RecipeRequest.Picture;
import dev.slipstream.pipelines.diffusion.image.Image;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Latent diffusion (Rombach et al. 2022), as most families do it: what is drawn begins as noise, or as the latents of a
 * picture, whose known part is put back after every step or given to the denoiser with its mask as further channels;
 * and the prompt counts by classifier-free guidance. A family says what is different, its text encoders at least.
 */
abstract class LatentDiffusion implements Recipe {
    private final TextEncoders texts;
    private final boolean takesMaskedPicture;

    /** @param takesMaskedPicture whether a mask and a known part are further channels */
    LatentDiffusion(TextEncoders texts, boolean takesMaskedPicture) {
        this.texts = texts;
        this.takesMaskedPicture = takesMaskedPicture;
    }

    @Override
    public TextEncoders texts() {
        return texts;
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        return Map.of();
    }

    /** Whether the denoiser is told sizes. */
    boolean tellsSizes() {
        return false;
    }

    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        return grid.wanted(request);
    }

    @Override
    public boolean encodesPicture() {
        return true;
    }

    @Override
    public boolean putsKnownPartBack() {
        return !takesMaskedPicture;
    }

    @Override
    public Optional<float[]> extraChannels(PictureInputs inputs) {
        return takesMaskedPicture ? Optional.of(maskedPicture(inputs)) : Optional.empty();
    }

    /** For every picture the mask and the latents of what is known. */
    private float[] maskedPicture(PictureInputs inputs) {
        Picture picture = inputs.picture().scaledTo(inputs.width(), inputs.height());
        // The first numbers of each noise are for the latents of the whole picture.
        float[] known = inputs.encoder().orElseThrow().encode(
            Planes.ofKnown(picture.image(), picture.mask().orElseThrow()), inputs.noises(), inputs.latents());
        int each = Math.toIntExact(inputs.latents());
        List<float[]> channels = new ArrayList<>();
        for (int index = 0; index < inputs.noises().size(); index++) {
            channels.addAll(maskedChannels(picture.mask().get(),
                Arrays.copyOfRange(known, index * each, (index + 1) * each), inputs.pixelsPerLatent()));
        }
        return PictureInputs.joined(channels);
    }

    /** The mask and the latents of what is known of a picture, in the order of the denoiser's channels. */
    List<float[]> maskedChannels(Image mask, float[] known, int pixelsPerLatent) {
        return List.of(RepaintMask.of(mask, pixelsPerLatent).values(), known);
    }

    /** Classifier-free (Ho and Salimans 2022): each latent is predicted twice if the prompt counts more than once. */
    @Override
    public Guidance guidance(Guidance wanted) {
        if (wanted.weight() > 1) {
            return wanted;
        }
        if (wanted.isRescaled()) {
            throw new RequestException("guidance is rescaled where there is some: leave out the rescale, or "
                + "take more guidance than 1");
        }
        return Guidance.NONE;
    }

    @Override
    public void check(RecipeRequest request) {
        refuse(takesMaskedPicture && !request.isMasked(),
            "this model repaints part of a picture; give a picture and a mask");
        refuse(request.picture().filter(picture -> picture.noiseLevel().isPresent()).isPresent(),
            "a noise level is for upscaling models; leave it out here");
        refuseForeign(request);
    }

    /** Whether it was taught classes and no texts. */
    boolean drawsClasses() {
        return false;
    }

    /** Refuses what other families take. */
    final void refuseForeign(RecipeRequest request) {
        refuse(request.wording().label().isPresent() && !drawsClasses(), "a class is for models that were taught "
            + "classes; this one reads a text, give it a prompt instead");
        refuse(request.saysSizes() && !tellsSizes(), "original size, crop and target size are for SDXL; this model is "
            + "told nothing of sizes, leave them out");
    }

    static void refuse(boolean wrong, String message) {
        if (wrong) {
            throw new RequestException(message);
        }
    }
}
