package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.Autoencoder;
import dev.slipstream.pipelines.diffusion.component.PreviewDecoder;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.family.LatentGrid;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Asked;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Chosen;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model's place in a pipeline: the part of the steps that it takes, with nothing built yet. Its owner closes the
 * model; any thread may use it.
 *
 * @param previews decodes previews, where that is not the autoencoder
 * @param span the part of the steps that this model takes
 */
record PipelineStage(LoadedModel model, Autoencoder autoencoder, Optional<Autoencoder> previews,
    LoopPlans plans, NoiseSpan span) {

    /**
     * @param previewDecoder folder of an autoencoder for previews
     * @param plans of the denoiser's loops
     * @throws ModelException if an autoencoder or a ControlNet does not fit the denoiser
     */
    static PipelineStage of(LoadedModel model, LoopPlans plans, Tiles tiles,
        Optional<Path> previewDecoder, NoiseSpan span) {
        TensorType usual = TensorType.of(DataType.FLOAT32, 1, model.config().outChannels(),
            model.config().sampleHeight(), model.config().sampleWidth());
        Autoencoder autoencoder =
            new Autoencoder(model.folder(), model.decoder(), model.decoderConfig(), usual, tiles);
        model.controls().forEach(control -> requireSameScale(control, autoencoder.pixelsPerLatent()));
        return new PipelineStage(model, autoencoder,
            previewDecoder.map(folder -> PreviewDecoder.open(folder, model.folder(), usual, tiles)),
            plans, span);
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

    /**
     * The steps that a request takes, if it says how many.
     *
     * @param part of the steps
     * @param first how many are left out
     */
    NoiseTable table(RequestCore request, Shape latents, NoiseSpan part, int first) {
        return model.noise(request.scheduler(), latents).table(request.steps().orElseThrow(), first, part);
    }

    /**
     * How many steps are left out where the loop starts from a picture.
     *
     * @param strength how much is drawn anew
     * @throws RequestException if that is less than one step
     */
    static int leftOut(int steps, double strength) {
        int taken = (int) Math.min(steps * strength, steps);
        if (taken == 0) {
            throw new RequestException("strength " + strength + " of " + steps
                + " steps is less than one step; take more steps or a larger strength");
        }
        return steps - taken;
    }

    /** The plan of a loop. @param rests by modules that are joined with the denoiser the steps at which they rest */
    Chosen chosen(LoopShape shape, NoiseTable noise, Guidance guidance, Map<String, Set<Integer>> rests) {
        return plans.of(new Asked(shape, noise, guidance, rests,
            model.texts().weightBytes(DeviceForm.STANDARD) + model.decoder().weightBytes()));
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
