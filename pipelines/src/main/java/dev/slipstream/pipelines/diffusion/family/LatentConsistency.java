package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.ConditionValues;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.run.loop.Guidance;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Latent consistency models (Luo et al. 2023), of any other family: they were taught guidance (Meng et al. 2022), so
 * that nothing is predicted twice, and the denoiser is told how much of it there shall be.
 *
 * @param taught the family in all else
 */
record LatentConsistency(Recipe taught, ModelParts parts) implements Recipe {
    static final Set<String> PIPELINES =
        Set.of("LatentConsistencyModelPipeline", "LatentConsistencyModelImg2ImgPipeline");

    private static final String GUIDANCE = "timestep_cond";

    /** The recipe of a model that may have been taught guidance, but is in all else as another one. */
    static Recipe of(Recipe other, ModelParts parts) {
        return parts.reads(GUIDANCE) ? new LatentConsistency(other, parts) : other;
    }

    @Override
    public Guidance guidance(Guidance wanted) {
        if (wanted.isRescaled()) {
            throw new RequestException("guidance is rescaled where there is some: leave out the rescale, or "
                + "take a model that was not taught guidance");
        }
        return Guidance.NONE;
    }

    @Override
    public Map<String, ConditionValues> told(RecipeRequest request, MicroConditioning sizes, LatentGrid.Size latents) {
        Map<String, ConditionValues> told = new LinkedHashMap<>(taught.told(request, sizes, latents));
        told.put(GUIDANCE, ConditionValues.of(embedded(request.guidanceWeight())));
        return told;
    }

    /** Sinusoids of the guidance less 1, in thousandths, as diffusers' consistency pipelines embed it. */
    private double[] embedded(double weight) {
        ConfigFile config = parts.denoiserFile().orElseThrow(() -> new ModelException(parts.folder()
            + ": the denoiser reads " + GUIDANCE + ", but has no config.json that tells its width"));
        int width = config.positiveInteger("time_cond_proj_dim");
        int half = width / 2;
        double[] embedded = new double[width];
        for (int i = 0; i < half; i++) {
            double angle = 1000 * (weight - 1) * Math.exp(-i * Math.log(10000) / (half - 1));
            embedded[i] = Math.sin(angle);
            embedded[half + i] = Math.cos(angle);
        }
        return embedded;
    }

    @Override
    public TextEncoders texts() {
        return taught.texts();
    }

    @Override
    public LatentGrid.Size latents(RecipeRequest request, LatentGrid grid) {
        return taught.latents(request, grid);
    }

    @Override
    public boolean encodesPicture() {
        return taught.encodesPicture();
    }

    @Override
    public boolean putsKnownPartBack() {
        return taught.putsKnownPartBack();
    }

    @Override
    public Optional<float[]> extraChannels(PictureInputs inputs) {
        return taught.extraChannels(inputs);
    }

    @Override
    public Usual usual() {
        return taught.usual();
    }

    @Override
    public void check(RecipeRequest request) {
        taught.check(request);
    }
}
