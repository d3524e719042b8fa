package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.kind.ComponentKind;
import dev.slipstream.pipelines.model.kind.ComponentKinds;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads an autoencoder that decodes previews in place of the model's: diffusers' AutoencoderTiny, which is fast. */
public final class PreviewDecoder {
    private PreviewDecoder() {
    }

    /**
     * @param folder of the autoencoder alone, with config.json and safetensors
     * @param model whose latents it decodes
     * @param usual latents that the model was trained on
     * @throws ModelException if it is missing, damaged, or made for latents of other channels
     */
    public static Autoencoder open(Path folder, ModelFolder model, TensorType usual, Tiles tiles) {
        if (!Files.isDirectory(folder) || !InputFile.isThere(folder.resolve("config.json"))) {
            throw new ModelException(folder + " is no folder of an autoencoder for previews: it needs config.json and "
                + "safetensors, as diffusers saves an AutoencoderTiny");
        }
        ConfigFile config = ConfigFile.read(folder.resolve("config.json"));
        Graph graph = ComponentKinds.of(config, ComponentKinds.USUAL_AUTOENCODER)
            .write(ComponentKind.DECODER, config, Checkpoint.open(folder)).graph();
        long channels = graph.inputs().getFirst().getType().getTensorType().getShape().getDim(1).getDimValue();
        if (channels != usual.shape().dim(1)) {
            throw new ModelException(folder + ": this autoencoder for previews decodes latents of " + channels
                + " channels, and those of " + model + " have " + usual.shape().dim(1)
                + "; take one that was made for this model");
        }
        return new Autoencoder(model, graph, DecoderConfig.of(config), usual, tiles);
    }
}
