package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.Optional;

/**
 * What a recipe is made of.
 *
 * @param denoiser as every loop calls it; {@code config}, too
 */
record ModelParts(ModelFolder folder, DenoiserGraph denoiser, DenoiserConfig config) {
    /** Whether the denoiser has an input. */
    boolean reads(String input) {
        return denoiser.ports().conditions().contains(input);
    }

    /** Channels that the denoiser takes behind the latents. */
    int furtherChannels() {
        return config.inChannels() - config.outChannels();
    }

    /** Whether these are a mask and the latents of a picture of which the masked part is grey. */
    boolean takesMaskedPicture() {
        return furtherChannels() == config.outChannels() + 1;
    }

    /** The denoiser's {@code config.json}, where it has one. */
    Optional<ConfigFile> denoiserFile() {
        return folder.config(Component.DENOISER);
    }
}
