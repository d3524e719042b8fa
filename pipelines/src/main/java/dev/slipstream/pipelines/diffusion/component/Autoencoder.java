package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.Map;

/**
 * The autoencoder of a model on paper: its two halves, and the tiles in which they work. Any thread; the half that
 * encodes is read when it is first wanted.
 */
public final class Autoencoder {
    private final ModelFolder folder;
    private final DecoderConfig config;
    private final Graph decoderGraph;
    private final int pixelsPerLatent;
    private final int side;
    private StaticGraph decoder;
    private Graph encoderGraph;

    /**
     * @param decoder the half that decodes, in the folder's
     * @param usual the latents that the denoiser was trained on
     * @throws RequestException if the tiles are no whole number of latents
     * @throws ModelException if it scales latents of other channels
     * @throws dev.slipstream.pipelines.graph.GraphException if the decoder is not for this model's latents
     */
    public Autoencoder(ModelFolder folder, Graph decoder, DecoderConfig config, TensorType usual, Tiles tiles) {
        this.folder = folder;
        this.config = config;
        this.decoderGraph = decoder;
        this.decoder = ImageDecoder.fix(decoder, usual);
        this.pixelsPerLatent = Math.toIntExact(this.decoder.outputType().shape().dim(2) / usual.shape().dim(2));
        this.side = side(tiles);
        if (!config.scaling().means().isEmpty() && config.latentChannels() != usual.shape().dim(1)) {
            throw new ModelException(folder + ": \"latents_mean\" of the autoencoder is for "
                + config.latentChannels() + " channels, and the denoiser predicts " + usual.shape().dim(1));
        }
    }

    private int side(Tiles tiles) {
        return switch (tiles) {
            case Tiles.Whole whole -> Integer.MAX_VALUE;
            case Tiles.OfModel usual -> config.tileSide();
            case Tiles.OfSide(int pixels) -> {
                if (pixels % pixelsPerLatent != 0) {
                    throw new RequestException("the tiles of this model have a multiple of " + pixelsPerLatent
                        + " pixels a side, not " + pixels);
                }
                yield pixels / pixelsPerLatent;
            }
        };
    }

    public DecoderConfig config() {
        return config;
    }

    /** Along each side. */
    public int pixelsPerLatent() {
        return pixelsPerLatent;
    }

    /** The type of a tile of these latents, of one picture or of frames that are decoded together; or their own. */
    public TensorType tile(TensorType latents) {
        return ImageDecoder.tile(latents, side);
    }

    /**
     * Finds out whether the decoder takes tiles of these latents, without fixing it to them.
     *
     * @throws RequestException if it does not, as exporters can fix it to one size
     */
    public void check(TensorType latents) {
        TensorType tile = tile(latents);
        try {
            InputTypes.check(decoderGraph, Map.of(decoderGraph.inputs().getFirst().getName(), tile));
        } catch (GraphException unfit) {
            boolean whole = tile.equals(latents);
            throw new RequestException("the image decoder of " + folder + " does not take "
                + (whole ? "pictures of this size: " : "such tiles: ") + unfit.getMessage()
                + (whole ? "; leave the size to the model" : "; leave them off"), unfit);
        }
    }

    Graph decoderGraph() {
        return decoderGraph;
    }

    /** The decoder for a tile of these latents; the last one is kept. */
    public synchronized StaticGraph decoder(TensorType latents) {
        TensorType tile = tile(latents);
        if (!decoder.inputType().equals(tile)) {
            decoder = ImageDecoder.fix(decoderGraph, tile);
        }
        return decoder;
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if the model has no encoder of pictures */
    public StaticGraph encoder(TensorType latents) {
        return ImageEncoder.fix(encoderGraph(), tile(latents), pixelsPerLatent);
    }

    /** The encoder of pictures, read when it is first wanted. */
    public synchronized Graph encoderGraph() {
        if (encoderGraph == null) {
            encoderGraph = new ComponentGraphs(folder).imageEncoder();
        }
        return encoderGraph;
    }
}
