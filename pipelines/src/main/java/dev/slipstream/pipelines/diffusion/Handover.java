package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.run.NoiseTable;

/**
 * What two models must have in common for one to go on with the latents of the other: any two that draw from a text
 * may, SDXL with its refiner as well as two that were trained alike.
 */
record Handover(PipelineDraft base, PipelineDraft refiner) {

    /** @throws ModelException if the models do not fit together whatever is asked for */
    void check() {
        requireFromText(base);
        requireFromText(refiner);
        if (!latents(base).equals(latents(refiner))) {
            throw new ModelException(refiner.model().folder() + ": the refiner's latents have " + latents(refiner)
                + ", but those of " + base.model().folder() + " have " + latents(base)
                + "; take a refiner that was made for this model");
        }
    }

    private static void requireFromText(PipelineDraft draft) {
        if (draft.model().extra() != ExtraChannels.NONE) {
            throw new ModelException(draft.model().folder() + ": models that repaint or enlarge a picture neither have "
                + "a refiner nor are one");
        }
    }

    /** What the numbers of latents mean. */
    private static String latents(PipelineDraft draft) {
        return draft.model().config().outChannels() + " channels, " + draft.autoencoder().pixelsPerLatent()
            + " pixels a latent, " + draft.autoencoder().config().scaling();
    }

    /** @throws IllegalArgumentException if they cannot share the steps of this request */
    static void check(ResolvedRequest first, ResolvedRequest second) {
        if (first.request().given().filter(given -> given.mask().isPresent()).isPresent()) {
            throw new IllegalArgumentException("a refiner does not repaint; leave out the mask or the refiner");
        }
        if (keepsPicture(first.noise()) != keepsPicture(second.noise())) {
            throw new IllegalArgumentException("the refiner would take latents of " + first.noise().name() + " with "
                + second.noise().name()
                + ", which scales them in another manner; choose one noise scheduler for both models");
        }
    }

    /** Whether the clean picture keeps its size in the latents while there is noise, as in Karras et al. (2022). */
    private static boolean keepsPicture(NoiseTable noise) {
        return noise.start().image() == 1;
    }
}
