package dev.slipstream.pipelines.model;

import java.util.List;

/**
 * The networks that a model folder can hold, each in a folder of its own, in one of the forms of {@link
 * ComponentFormat}. Checkpoints have both halves of the autoencoder in one folder.
 */
public enum Component {
    /** Token ids to what cross-attention reads. */
    TEXT_ENCODER("text_encoder"),
    /** The second text encoder of SDXL. */
    TEXT_ENCODER_2("text_encoder_2"),
    /** The network that is run in every step: a U-Net or a transformer. */
    DENOISER("unet", "transformer"),
    /** Latents to a picture. */
    VAE_DECODER("vae_decoder", "vae"),
    /** A picture to latents, for image to image. */
    VAE_ENCODER("vae_encoder", "vae");

    private final List<String> folders;

    Component(String... folders) {
        this.folders = List.of(folders);
    }

    /** Names of the folder, the usual one first. */
    List<String> folders() {
        return folders;
    }
}
