package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.model.DenoiserConfig;
import dev.slipstream.pipelines.model.ModelException;

/** What a denoiser takes as further channels behind the latents, and so what its requests must bring. */
enum ExtraChannels {
    /** Nothing: pictures are drawn from the text, anew from a picture, or in the masked part of one. */
    NONE,
    /** A mask of one channel, and the latents of a picture of which the masked part is grey. */
    MASKED_PICTURE,
    /** The pixels of a picture, which is to be enlarged. */
    PICTURE;

    private static final int COLOURS = 3;

    /** @throws ModelException if it is something else */
    static ExtraChannels of(DenoiserConfig config, DenoiserModel denoiser, Object folder) {
        int extra = config.inChannels() - config.outChannels();
        if (extra == 0) {
            return NONE;
        }
        if (extra == config.outChannels() + 1) {
            return MASKED_PICTURE;
        }
        if (extra == COLOURS && denoiser.ports().conditions().contains(Conditions.NOISE_LEVEL)) {
            return PICTURE;
        }
        throw new ModelException(folder + ": the denoiser takes " + config.inChannels() + " channels and predicts "
            + config.outChannels() + "; what the others are is not known here, only those of inpainting models and of "
            + "x4 upscalers are");
    }

    /** @throws IllegalArgumentException if a request brings less or more than such a model takes */
    void check(ImageRequest request) {
        boolean masked = request.given().filter(given -> given.mask().isPresent()).isPresent();
        switch (this) {
            case NONE -> refuse(request.given().filter(given -> given.noiseLevel().isPresent()).isPresent(),
                "a noise level is for upscaling models; leave it out here");
            case MASKED_PICTURE -> {
                refuse(!masked, "this model repaints part of a picture; give a picture and a mask");
                refuse(request.given().get().noiseLevel().isPresent(),
                    "a noise level is for upscaling models; leave it out here");
            }
            case PICTURE -> {
                refuse(request.given().isEmpty(), "this model enlarges a picture; give one");
                refuse(masked || request.given().get().strength().isPresent(),
                    "this model enlarges a picture; leave out mask and strength");
            }
        }
    }

    private static void refuse(boolean wrong, String message) {
        if (wrong) {
            throw new IllegalArgumentException(message);
        }
    }
}
