package dev.slipstream.pipelines.model.folder;

import java.util.List;

/**
 * The networks that a model folder can hold, each in a folder of its own, in one of the forms of {@link
 * ComponentFormat}. Checkpoints have both halves of the autoencoder in one folder.
 */
public enum Component {
    /** From token ids to the states that cross-attention reads. */
    TEXT_ENCODER("text_encoder"),
    /** The second text encoder of SDXL, Stable Diffusion 3 and FLUX. */
    TEXT_ENCODER_2("text_encoder_2"),
    /** The third text encoder of Stable Diffusion 3, a T5. */
    TEXT_ENCODER_3("text_encoder_3"),
    /** The network that runs in every step: a U-Net or a transformer. */
    DENOISER("unet", "transformer"),
    /** From latents to a picture. */
    VAE_DECODER("vae_decoder", "vae"),
    /** From a picture to latents, for image to image. */
    VAE_ENCODER("vae_encoder", "vae"),
    /** From a picture to what it shows, for videos from a picture. */
    IMAGE_ENCODER("image_encoder"),
    /** Layers between those of a denoiser for pictures, with which it makes videos. */
    MOTION_ADAPTER("motion_adapter");

    private final List<String> folders;

    Component(String... folders) {
        this.folders = List.of(folders);
    }

    /** Names of the folder, the usual one first. */
    public List<String> folders() {
        return folders;
    }
}
