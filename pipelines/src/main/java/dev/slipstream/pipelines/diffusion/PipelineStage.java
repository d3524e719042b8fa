package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.Autoencoder;
import dev.slipstream.pipelines.diffusion.component.PreviewDecoder;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.denoise.Partitioner;
import dev.slipstream.pipelines.diffusion.family.LatentGrid;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.plan.Strategy;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A model's place in a pipeline: the part of the steps that it takes, with nothing built yet. Its owner closes the
 * model; any thread may use it.
 *
 * @param previews decodes previews, where that is not the autoencoder
 * @param span the part of the steps that this model takes
 */
record PipelineStage(LoadedModel model, Autoencoder autoencoder, Optional<Autoencoder> previews,
    Partitioner partitioner, NoiseSpan span) {

    /**
     * @param previewDecoder folder of an autoencoder for previews
     * @throws ModelException if an autoencoder or a ControlNet does not fit the denoiser
     */
    static PipelineStage of(LoadedModel model, Strategy strategy, int devices, Tiles tiles,
        Optional<Path> previewDecoder, NoiseSpan span) {
        TensorType usual = TensorType.of(DataType.FLOAT32, 1, model.config().outChannels(),
            model.config().sampleHeight(), model.config().sampleWidth());
        Autoencoder autoencoder =
            new Autoencoder(model.folder(), model.decoder(), model.decoderConfig(), usual, tiles);
        model.controls().forEach(control -> requireSameScale(control, autoencoder.pixelsPerLatent()));
        return new PipelineStage(model, autoencoder,
            previewDecoder.map(folder -> PreviewDecoder.open(folder, model.folder(), usual, tiles)),
            new Partitioner(model.denoiser(), strategy, devices), span);
    }

    private static void requireSameScale(ControlNetPart control, int pixelsPerLatent) {
        control.pixelsPerLatent().ifPresent(own -> {
            if (own != pixelsPerLatent) {
                throw new ModelException(control.folder() + ": this ControlNet has " + own + " pixels of its picture "
                    + "to a latent, and the autoencoder of the model " + pixelsPerLatent
                    + "; take one that was made for such latents");
            }
        });
    }

    /** Which sizes the latents can have. */
    LatentGrid grid() {
        return new LatentGrid(autoencoder.pixelsPerLatent(), model.denoiser().sideMultiple(),
            new LatentGrid.Size(model.config().sampleHeight(), model.config().sampleWidth()));
    }

    /**
     * Finds out whether another model can go on with this one's latents: any two that draw from a text may, SDXL with
     * its refiner as well as two that were trained alike.
     *
     * @throws ModelException if they do not fit together, whatever is asked for
     */
    void requireFits(PipelineStage refiner) {
        requireOnlyLatents();
        refiner.requireOnlyLatents();
        if (!latentsOf().equals(refiner.latentsOf())) {
            throw new ModelException(refiner.model.folder() + ": the refiner's latents have " + refiner.latentsOf()
                + ", but those of " + model.folder() + " have " + latentsOf()
                + "; take a refiner that was made for this model");
        }
    }

    private void requireOnlyLatents() {
        if (model.config().inChannels() != model.config().outChannels()) {
            throw new ModelException(model.folder() + ": models that repaint or enlarge a picture neither have a "
                + "refiner nor are one");
        }
        if (model.form().frames().areThere()) {
            throw new ModelException(model.folder() + ": models of videos neither have a refiner nor are one");
        }
    }

    /** What the numbers of latents mean. */
    private String latentsOf() {
        return model.config().outChannels() + " channels, " + autoencoder.pixelsPerLatent() + " pixels a latent, "
            + autoencoder.config().scaling();
    }
}
