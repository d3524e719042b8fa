package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.Optional;

/** What tells the family of a model. */
record ModelParts(ModelFolder folder, DenoiserGraph denoiser, DenoiserConfig config) {
    /** Whether the denoiser has an input. */
    boolean reads(String input) {
        return denoiser.ports().conditions().contains(input);
    }

    /** How latents of videos are laid out; the denoiser's configuration tells it also where it is adapted. */
    LoopForm.Frames frames() {
        return LoopForm.of(denoiser).frames();
    }

    /** Channels that the denoiser takes behind the latents. */
    int extraChannels() {
        return config.inChannels() - config.outChannels();
    }

    /** Whether these are a mask and the latents of a picture of which the masked part is grey. */
    boolean takesMaskedPicture() {
        return extraChannels() == config.outChannels() + 1;
    }

    /** The denoiser's {@code config.json}, where it has one. */
    Optional<ConfigFile> denoiserFile() {
        return folder.config(Component.DENOISER);
    }
}
