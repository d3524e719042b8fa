package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.kind.ComponentKind;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.t5.T5Encoder;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * The graphs of a model's components outside the loop, in the form that each of them has: a graph that an exporter
 * wrote, or a checkpoint. All methods throw {@link ModelException} or {@link
 * dev.slipstream.pipelines.graph.GraphException} where a component is missing, damaged or of a kind that is not read.
 */
public record ComponentGraphs(ModelFolder folder) {
    /** Of which all layers are read, and all tokens. @param clipSkip but for so many of the last layers */
    public Graph textEncoder(Component component, int clipSkip) {
        return textEncoder(component, clipSkip, false);
    }

    /**
     * @param clipSkip how many of its last layers {@code last_hidden_state} leaves out
     * @param masked whether it is told which tokens are the prompt's, where it can be
     */
    public Graph textEncoder(Component component, int clipSkip, boolean masked) {
        if (isCheckpoint(component)) {
            ConfigFile config = config(component);
            return ComponentKinds.of(config, ComponentKinds.USUAL_TEXT_ENCODER)
                .write(config, checkpoint(component), new GraphOptions(
                    masked ? Set.of(T5Encoder.ATTENTION_MASK) : Set.of(), clipSkip, Optional.empty())).graph();
        }
        Path file = folder.require(component);
        if (clipSkip > 0) {
            throw new ModelException(file + " has the output of all its layers only, so that clip_skip " + clipSkip
                + " cannot be done; take the encoder's checkpoint, or clip_skip 0");
        }
        return GraphFile.read(file);
    }

    /** What sees the picture that a video begins with. */
    Graph pictureReader() {
        if (!isCheckpoint(Component.IMAGE_ENCODER)) {
            return GraphFile.read(folder.require(Component.IMAGE_ENCODER));
        }
        ConfigFile config = config(Component.IMAGE_ENCODER);
        return ComponentKinds.of(config).write(config, checkpoint(Component.IMAGE_ENCODER), GraphOptions.NONE).graph();
    }

    public Graph imageDecoder() {
        return autoencoder(Component.VAE_DECODER, ComponentKind.DECODER);
    }

    public Graph imageEncoder() {
        return autoencoder(Component.VAE_ENCODER, ComponentKind.ENCODER);
    }

    private Graph autoencoder(Component component, String half) {
        if (!isCheckpoint(component)) {
            return GraphFile.read(folder.require(component));
        }
        ConfigFile config = config(component);
        return ComponentKinds.of(config, ComponentKinds.USUAL_AUTOENCODER).write(half, config, checkpoint(component))
            .graph();
    }

    private boolean isCheckpoint(Component component) {
        return folder.format(component) == ComponentFormat.CHECKPOINT;
    }

    private Checkpoint checkpoint(Component component) {
        return folder.checkpoint(component);
    }

    private ConfigFile config(Component component) {
        return folder.requireConfig(component);
    }
}
