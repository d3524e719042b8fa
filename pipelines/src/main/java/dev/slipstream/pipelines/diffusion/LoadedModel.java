package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.component.ComponentGraphs;
import dev.slipstream.pipelines.diffusion.component.TextEncoders;
import dev.slipstream.pipelines.diffusion.denoise.ControlNetPart;
import dev.slipstream.pipelines.diffusion.denoise.ControlNets;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.family.Family;
import dev.slipstream.pipelines.diffusion.family.LoopForm;
import dev.slipstream.pipelines.diffusion.family.Recipe;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.embedding.Embeddings;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.Inventory;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.ModelInventory;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.lora.OpenLoras;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The components of a model, read, and its family's recipe; its owner closes it. The encoder of pictures is read when a
 * request brings one.
 *
 * @param loras that are merged into its checkpoints
 * @param form how its denoiser is called
 * @param denoiser as every loop calls it, with the ControlNets; {@code config}, too
 * @param controls its ControlNets
 * @param layers that are skipped at some steps
 */
record LoadedModel(ModelFolder folder, OpenLoras loras, LoopForm form, DenoiserGraph denoiser,
    List<ControlNetPart> controls, Optional<LayerGuidance> layers, DenoiserConfig config, Graph decoder,
    DecoderConfig decoderConfig, NoiseScheduler scheduler, Recipe recipe) implements AutoCloseable {

    /** Without ControlNets, whatever lies in its folder. */
    static LoadedModel read(ModelFolder folder, Precision precision) {
        return read(folder, Loras.NONE, Embeddings.NONE, precision, it -> List.of(), Optional.empty());
    }

    /**
     * @param plain the model without the LoRAs; closed with what comes out, also if this fails
     * @param embeddings words that its text encoders learn
     * @param precision of the denoiser; the other components compute as their files say
     * @param controls folders of the ControlNets
     * @param layers that are skipped at some steps
     */
    static LoadedModel read(ModelFolder plain, Loras loras, Embeddings embeddings, Precision precision,
        Function<ModelFolder, List<Path>> controls, Optional<LayerGuidance> layers) {
        OpenLoras open = loras.open();
        try {
            return read(embeddings.addedTo(open.mergedInto(plain)), open, precision, controls.apply(plain),
                layers);
        } catch (RuntimeException | Error failure) {
            open.close();
            plain.close();
            throw failure;
        }
    }

    /**
     * What its text encoders make of a prompt.
     *
     * @param chunks pieces of the prompt
     * @throws GraphException if the denoiser takes no text of that length
     */
    Map<String, TensorType> textTypes(int chunks) {
        Map<String, TensorType> types = texts().types(chunks);
        OptionalLong only = denoiser.fixedSize(TextEncoders.STATES, 1);
        if (chunks > 1 && only.isPresent()) {
            TensorType states = Objects.requireNonNull(types.get(TextEncoders.STATES));
            throw new GraphException("the denoiser's graph was exported for texts of " + only.getAsLong()
                + " tokens only, and these long prompts take " + states.shape().dim(1)
                + "; let them be cut, or take a graph that leaves the length open, or the checkpoint");
        }
        return types;
    }

    private static LoadedModel read(ModelFolder folder, OpenLoras loras, Precision precision, List<Path> controls,
        Optional<LayerGuidance> layers) {
        Family.check(folder);
        ConfigFile scheduler = folder.noiseScheduler();
        ComponentFormat format = folder.format(Component.DENOISER);
        ControlNets.Steered steered = controls.isEmpty()
            ? new ControlNets.Steered(layers.map(it -> DenoiserGraph.skipping(folder, format, it.blocks()))
                .orElseGet(() -> DenoiserGraph.read(folder, format)), List.of())
            : ControlNets.steered(folder, format, withoutLayers(controls, layers));
        DenoiserGraph own = steered.denoiser().withPrecision(precision);
        Family family = Family.of(own);
        LoopForm form = family.form();
        DenoiserConfig config = form.config(folder.denoiserConfig(form.usualSide()));
        DenoiserGraph denoiser = form.adapt(own, config.outChannels());
        NoiseScheduler noise = Family.noise(
            NoiseScheduler.parseForAnyMethod(scheduler.root().toString(), scheduler.path().toString()),
            folder.pipelineClass().orElse(""));
        Graph decoder = new ComponentGraphs(folder).imageDecoder();
        DecoderConfig decoderConfig = folder.decoderConfig();
        return new LoadedModel(folder, loras, form, denoiser, steered.controls(), layers, config, decoder,
            decoderConfig, noise, family.open(folder, denoiser, config));
    }

    private static List<Path> withoutLayers(List<Path> controls, Optional<LayerGuidance> layers) {
        if (layers.isPresent()) {
            throw new ModelException("a model with ControlNets (" + controls.getFirst() + ") skips no layers; leave "
                + "out one of the two");
        }
        return controls;
    }

    /** The same model as one that goes on with what {@code base} draws: of the base's size, if none is said. */
    LoadedModel refining(LoadedModel base) {
        return new LoadedModel(folder, loras, form, denoiser.named("refiner"), controls, layers,
            config.withSampleSizeOf(base.config), decoder, decoderConfig, scheduler, recipe);
    }

    /** The noise scheduler of this name, or its own, as the model's family uses it for latents of this shape. */
    NoiseScheduler noise(Optional<String> name, Shape latents) {
        return form.noise(name.map(scheduler::withMethod).orElse(scheduler), denoiser, latents);
    }

    TextEncoders texts() {
        return recipe.texts();
    }

    /** What lies in the model's folder, and what of it is read. */
    Inventory inventory() {
        Set<Path> weights = Stream.concat(Stream.of(denoiser.graph(), decoder),
                texts().graphs(0).stream().map(encoder -> encoder.graph().graph()))
            .flatMap(graph -> graph.weightFiles().stream()).collect(Collectors.toSet());
        return ModelInventory.of(folder, weights);
    }

    @Override
    public void close() {
        texts().close();
        loras.close();
        folder.close();
    }
}
