package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.component.Planes;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A family of models: those with the same kind of denoiser. This is the one place that knows which there are, and how a
 * model's is found.
 *
 * @param denoiser diffusers' class of the denoiser, by which configurations name it
 * @param looksLike whether a denoiser is of this kind whose configuration names no class, or one that is not known
 * @param form how the published loop calls the denoiser
 * @param variants what models with such a denoiser are taught to draw from
 */
public record Family(String denoiser, Predicate<DenoiserGraph> looksLike, LoopForm form, List<Variant> variants) {
    /**
     * Models of a family that are told the same.
     *
     * @param pipelines diffusers' classes of pipelines that run them
     * @param of whether a model of the family is such a one; no two variants have a model in common
     */
    public record Variant(Set<String> pipelines, Predicate<ModelParts> of, Function<ModelParts, Recipe> recipe) {
    }

    /** A new family is a class, and a line here. A denoiser without a class is of the first that it looks like. */
    private static final List<Family> ALL = List.of(
        new Family("UNetSpatioTemporalConditionModel", it -> takes(it, StableVideoDiffusion.NUMBERS),
            StableVideoDiffusion.FORM, List.of(
                new Variant(StableVideoDiffusion.PIPELINES, model -> true, StableVideoDiffusion::open))),
        new Family("UNetMotionModel", Family::takesVideos, AnimateDiff.FORM, List.of(
            new Variant(AnimateDiff.PIPELINES, model -> takesLatentsOnly(model) && !model.reads(TextEncoders.POOLED),
                AnimateDiff::new))),
        new Family("FluxTransformer2DModel", it -> takes(it, Flux.IMAGE_PLACES), Flux.FORM, List.of(
            new Variant(Flux.PIPELINES, Family::takesLatentsOnly, Flux::new),
            new Variant(FluxTools.Fill.PIPELINES, FluxTools.Fill::fits, FluxTools.Fill::new),
            new Variant(FluxTools.Control.PIPELINES, FluxTools.Control::fits, FluxTools.Control::new))),
        new Family("SD3Transformer2DModel", it -> takes(it, StableDiffusion3.POOLED), LoopForm.USUAL, List.of(
            new Variant(StableDiffusion3.PIPELINES, Family::takesLatentsOnly, StableDiffusion3::new))),
        new Family("PixArtTransformer2DModel", it -> takes(it, PixArt.MASK) && takes(it, TextEncoders.STATES),
            PixArt.FORM, List.of(new Variant(PixArt.PIPELINES, Family::takesLatentsOnly, PixArt::new))),
        new Family("DiTTransformer2DModel", it -> takes(it, Dit.CLASS) && !takes(it, TextEncoders.STATES), Dit.FORM,
            List.of(new Variant(Dit.PIPELINES, Family::takesLatentsOnly, Dit::new))),
        new Family("UNet2DConditionModel", it -> true, LoopForm.USUAL, List.of(
            new Variant(StableDiffusion.PIPELINES, model -> drawsAlone(model) && !model.reads(TextEncoders.POOLED),
                model -> LatentConsistency.of(new StableDiffusion(model), model)),
            new Variant(StableDiffusionXl.PIPELINES, model -> drawsAlone(model) && model.reads(TextEncoders.POOLED),
                model -> LatentConsistency.of(StableDiffusionXl.open(model), model)),
            new Variant(Upscaler.PIPELINES, model -> model.furtherChannels() == Planes.COLOURS
                && !model.takesMaskedPicture() && model.reads(Upscaler.NOISE_LEVEL)
                && !model.reads(TextEncoders.POOLED), Upscaler::new))));

    public Family {
        variants = List.copyOf(variants);
    }

    private static boolean takes(DenoiserGraph denoiser, String input) {
        return denoiser.ports().conditions().contains(input);
    }

    private static boolean takesVideos(DenoiserGraph denoiser) {
        String latents = denoiser.ports().sample();
        return latents.equals("sample") && denoiser.rank(latents).orElse(0) == LoopForm.Frames.DIMENSIONS;
    }

    private static boolean takesLatentsOnly(ModelParts model) {
        return model.furtherChannels() == 0;
    }

    /** From nothing, from a picture, or around a mask. */
    private static boolean drawsAlone(ModelParts model) {
        return takesLatentsOnly(model) || model.takesMaskedPicture();
    }

    /**
     * Refuses what no family knows, before anything large is read.
     *
     * @throws ModelException which names the pipeline's class
     */
    public static void check(ModelFolder folder) {
        folder.pipelineClass().filter(name -> !pipelines().contains(published(name)))
            .ifPresent(name -> {
                throw new ModelException(folder + "/model_index.json: pipelines of class " + name
                    + " cannot be run yet; there are " + pipelines());
            });
    }

    /** Exporters name their pipelines after those of diffusers. */
    private static String published(String pipelineClass) {
        return pipelineClass.replaceFirst("^(Onnx|ORT)", "");
    }

    /**
     * A noise scheduler as a pipeline uses it.
     *
     * @param pipelineClass as {@code model_index.json} has it; empty if it has none
     */
    public static NoiseScheduler noise(NoiseScheduler read, String pipelineClass) {
        return read.forPipeline(pipelineClass, StableDiffusion.repairs(published(pipelineClass)));
    }

    private static SortedSet<String> pipelines() {
        SortedSet<String> all = new TreeSet<>(LatentConsistency.PIPELINES);
        ALL.stream().flatMap(family -> family.variants().stream()).map(Variant::pipelines).forEach(all::addAll);
        return all;
    }

    /** The family of a denoiser that is as its model has it; by its configuration, else by its inputs. */
    public static Family of(DenoiserGraph denoiser) {
        return denoiser.className()
            .flatMap(name -> ALL.stream().filter(family -> family.denoiser.equals(name)).findFirst())
            .or(() -> ALL.stream().filter(family -> family.looksLike.test(denoiser)).findFirst()).orElseThrow();
    }

    /**
     * The recipe for a model of the family; one class of pipelines may have models of several variants, so the
     * components tell.
     *
     * @param denoiser as every loop calls it; {@code config}, too
     * @throws ModelException if no variant has such a denoiser, or a text encoder is missing or damaged
     * @throws dev.slipstream.pipelines.graph.GraphException if a text encoder does not make what is read
     */
    public Recipe open(ModelFolder folder, DenoiserGraph denoiser, DenoiserConfig config) {
        ModelParts model = new ModelParts(folder, denoiser, config);
        return variants.stream().filter(variant -> variant.of().test(model)).findFirst()
            .orElseThrow(() -> new ModelException(folder + ": the denoiser takes " + config.inChannels()
                + " channels and predicts " + config.outChannels() + (takesLatentsOnly(model)
                    ? "; " + this.denoiser + "s with inputs such as its " + denoiser.ports().conditions()
                        + " are not known here"
                    : "; what the others are is not known here, only those of inpainting models and of x4 upscalers "
                        + "are")))
            .recipe().apply(model);
    }
}
