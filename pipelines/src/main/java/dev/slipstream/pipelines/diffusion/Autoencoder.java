package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.DecoderConfig;
import dev.slipstream.pipelines.model.ModelException;
import java.util.Map;

/**
 * The autoencoder of a model on paper: its two halves, and the tiles in which they work. Any thread; the half that
 * encodes is read when it is first wanted.
 */
final class Autoencoder {
    private final PipelineModel model;
    private final int pixelsPerLatent;
    private final int side;
    private ComponentModel decoder;
    private Graph encoderGraph;

    /**
     * @throws IllegalArgumentException if the tiles are no whole number of latents
     * @throws ModelException if it scales latents of other channels
     * @throws dev.slipstream.pipelines.graph.GraphException if the decoder is not for this model's latents
     */
    Autoencoder(PipelineModel model, Tiles tiles) {
        this.model = model;
        TensorType usual = TensorType.of(DataType.FLOAT32, 1, model.config().outChannels(),
            model.config().sampleHeight(), model.config().sampleWidth());
        this.decoder = ImageDecoder.fix(model.decoder(), usual);
        this.pixelsPerLatent = Math.toIntExact(decoder.outputType().shape().dim(2) / usual.shape().dim(2));
        this.side = side(tiles);
        if (!config().scaling().means().isEmpty() && config().latentChannels() != model.config().outChannels()) {
            throw new ModelException(model.folder() + ": \"latents_mean\" of the autoencoder is for "
                + config().latentChannels() + " channels, and the denoiser predicts " + model.config().outChannels());
        }
    }

    private int side(Tiles tiles) {
        return switch (tiles) {
            case Tiles.Whole whole -> Integer.MAX_VALUE;
            case Tiles.OfModel usual -> config().tileSide();
            case Tiles.OfSide(int pixels) -> {
                if (pixels % pixelsPerLatent != 0) {
                    throw new IllegalArgumentException("the tiles of this model have a multiple of " + pixelsPerLatent
                        + " pixels a side, not " + pixels);
                }
                yield pixels / pixelsPerLatent;
            }
        };
    }

    DecoderConfig config() {
        return model.decoderConfig();
    }

    /** Along each side. */
    int pixelsPerLatent() {
        return pixelsPerLatent;
    }

    /** The type of a tile of one picture of these latents; its own where one is enough. */
    TensorType tile(TensorType latents) {
        return ImageDecoder.tile(LoopShape.withRows(latents, 1), side);
    }

    /**
     * Finds out whether the decoder takes tiles of these latents, without fixing it to them.
     *
     * @throws IllegalArgumentException if it is not for tiles, as exporters can fix it to one size
     * @throws GraphException if it does not take them whole
     */
    void check(TensorType latents) {
        TensorType tile = tile(latents);
        try {
            InputTypes.check(model.decoder(), Map.of(model.decoder().inputs().getFirst().getName(), tile));
        } catch (GraphException unfit) {
            if (tile.equals(LoopShape.withRows(latents, 1))) {
                throw unfit;
            }
            throw new IllegalArgumentException("the image decoder of " + model.folder()
                + " does not take such tiles: " + unfit.getMessage() + "; leave them off", unfit);
        }
    }

    /** The decoder for a tile of these latents; the last one is kept. */
    synchronized ComponentModel decoder(TensorType latents) {
        TensorType tile = tile(latents);
        if (!decoder.inputType().equals(tile)) {
            decoder = ImageDecoder.fix(model.decoder(), tile);
        }
        return decoder;
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if the model has no encoder of pictures */
    ComponentModel encoder(TensorType latents) {
        return ImageEncoder.fix(encoderGraph(), tile(latents), pixelsPerLatent);
    }

    /** The encoder of pictures, read when it is first wanted. */
    synchronized Graph encoderGraph() {
        if (encoderGraph == null) {
            encoderGraph = new ComponentGraphs(model.folder()).imageEncoder();
        }
        return encoderGraph;
    }
}
