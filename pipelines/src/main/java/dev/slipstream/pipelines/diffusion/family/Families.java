package dev.slipstream.pipelines.diffusion.family;

import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;

/** The families that are known. A model's is found by its pipeline's class and its components' configuration. */
public final class Families {
    /** Which pipelines of diffusers are of a family, and its recipe for a model, if the model is of it. */
    private record Family(Set<String> pipelines, Function<ModelParts, Optional<Recipe>> recipe) {
    }

    /**
     * A new family is a class with these two, and a line here; a model is of the first that knows it, so that those
     * with inputs of their own come before those without.
     */
    private static final List<Family> ALL = List.of(
        new Family(StableVideoDiffusion.PIPELINES, StableVideoDiffusion::open),
        new Family(AnimateDiff.PIPELINES, AnimateDiff::open),
        new Family(Flux.PIPELINES, Flux::open),
        new Family(FluxFill.PIPELINES, FluxFill::open),
        new Family(FluxControl.PIPELINES, FluxControl::open),
        new Family(StableDiffusion3.PIPELINES, StableDiffusion3::open),
        new Family(PixArt.PIPELINES, PixArt::open),
        new Family(Dit.PIPELINES, Dit::open),
        new Family(StableDiffusion.PIPELINES, StableDiffusion::open),
        new Family(StableDiffusionXl.PIPELINES, StableDiffusionXl::open),
        new Family(Upscaler.PIPELINES, Upscaler::open));

    private Families() {
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
        ALL.forEach(family -> all.addAll(family.pipelines()));
        return all;
    }

    /**
     * The recipe for a model; one class of pipelines may have models of several families, so the components tell.
     *
     * @throws ModelException if no family has such a denoiser, or a text encoder is missing or damaged
     * @throws dev.slipstream.pipelines.graph.GraphException if a text encoder does not make what is read
     */
    public static Recipe open(ModelFolder folder, DenoiserGraph denoiser, DenoiserConfig config) {
        ModelParts parts = new ModelParts(folder, denoiser, config);
        return ALL.stream().flatMap(family -> family.recipe().apply(parts).stream()).findFirst()
            .orElseThrow(() -> new ModelException(folder + ": the denoiser takes " + config.inChannels()
                + " channels and predicts " + config.outChannels() + "; what the others are is not known here, only "
                + "those of inpainting models and of x4 upscalers are"));
    }
}
