package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ComponentFile;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.clip.ClipTextModel;
import dev.slipstream.pipelines.model.vae.AutoencoderKl;
import java.nio.file.Path;

/**
 * The graphs of a model's components outside the loop, from whichever form each of them is in: a graph that an exporter
 * wrote, or a checkpoint. All methods throw {@link ModelException} or {@link
 * dev.slipstream.pipelines.graph.GraphException} where a component is missing, damaged or of a kind that is not read.
 */
record ComponentGraphs(ModelFolder folder) {
    /** @param clipSkip how many of its last layers {@code last_hidden_state} leaves out */
    Graph textEncoder(Component component, int clipSkip) {
        if (isCheckpoint(component)) {
            return ClipTextModel.write(config(component), checkpoint(component), clipSkip).graph();
        }
        Path file = folder.require(component);
        if (clipSkip > 0) {
            throw new ModelException(file + " has the output of all its layers only, so that clip_skip " + clipSkip
                + " cannot be done; take the encoder's checkpoint, or clip_skip 0");
        }
        return GraphFile.read(file);
    }

    Graph imageDecoder() {
        return isCheckpoint(Component.VAE_DECODER)
            ? AutoencoderKl.decoder(config(Component.VAE_DECODER), checkpoint(Component.VAE_DECODER)).graph()
            : GraphFile.read(folder.require(Component.VAE_DECODER));
    }

    Graph imageEncoder() {
        return isCheckpoint(Component.VAE_ENCODER)
            ? AutoencoderKl.encoder(config(Component.VAE_ENCODER), checkpoint(Component.VAE_ENCODER)).graph()
            : GraphFile.read(folder.require(Component.VAE_ENCODER));
    }

    private boolean isCheckpoint(Component component) {
        return ComponentFormat.of(folder.folder(component)) == ComponentFormat.CHECKPOINT;
    }

    private Checkpoint checkpoint(Component component) {
        return folder.checkpoint(component);
    }

    private ConfigFile config(Component component) {
        return ConfigFile.read(ComponentFile.CONFIG.in(folder.folder(component)));
    }
}
