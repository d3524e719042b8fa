package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.noise.ForwardNoise;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.DecoderConfig;
import dev.slipstream.pipelines.model.DenoiserConfig;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.inventory.Inventory;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.lora.OpenLoras;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The parts of a model, read; its owner closes it. The encoder of pictures is read when a request brings one.
 *
 * @param loras that are merged into its checkpoints
 */
record PipelineModel(ModelFolder folder, OpenLoras loras, DenoiserModel denoiser, DenoiserConfig config,
    ExtraChannels extra, TextModels texts, Graph decoder, DecoderConfig decoderConfig, NoiseScheduler scheduler)
    implements AutoCloseable {

    /** What they are called apart from the exporters' prefixes: which one it is, the parts of the model tell. */
    private static final Set<String> SUPPORTED = Set.of("StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline",
        "StableDiffusionInpaintPipeline", "StableDiffusionUpscalePipeline", "StableDiffusionXLPipeline",
        "StableDiffusionXLImg2ImgPipeline", "StableDiffusionXLInpaintPipeline", "LatentConsistencyModelPipeline",
        "LatentConsistencyModelImg2ImgPipeline");

    static PipelineModel read(ModelFolder folder, Precision precision) {
        return read(folder, Loras.NONE, precision);
    }

    /**
     * @param plain the model without the LoRAs
     * @param precision of the denoiser; the other components compute as their files say
     */
    static PipelineModel read(ModelFolder plain, Loras loras, Precision precision) {
        OpenLoras open = loras.open();
        try {
            return read(open.mergedInto(plain), open, precision);
        } catch (RuntimeException | Error failure) {
            open.close();
            throw failure;
        }
    }

    private static PipelineModel read(ModelFolder folder, OpenLoras loras, Precision precision) {
        folder.pipelineClass().filter(name -> !SUPPORTED.contains(name.replaceFirst("^(Onnx|ORT)", "")))
            .ifPresent(name -> {
                throw new ModelException(folder + "/model_index.json: pipelines of class " + name
                    + " cannot be run yet; there are " + SUPPORTED.stream().sorted().toList());
            });
        ConfigFile scheduler = folder.noiseScheduler();
        DenoiserModel denoiser = readDenoiser(folder).withPrecision(precision);
        DenoiserConfig config = folder.denoiserConfig();
        ExtraChannels extra = ExtraChannels.of(config, denoiser, folder);
        NoiseScheduler noise = NoiseScheduler
            .parseForAnyMethod(scheduler.root().toString(), scheduler.path().toString())
            .forPipeline(folder.pipelineClass().orElse(""));
        Graph decoder = new ComponentGraphs(folder).imageDecoder();
        return new PipelineModel(folder, loras, denoiser, config, extra, TextModels.open(folder, denoiser), decoder,
            folder.decoderConfig(), noise);
    }

    static DenoiserModel readDenoiser(ModelFolder folder) {
        return DenoiserModel.read(folder, ComponentFormat.of(folder.folder(Component.DENOISER)));
    }

    /** The same model as one that goes on with what {@code base} draws: of the base's size, if none is said. */
    PipelineModel refining(PipelineModel base) {
        return new PipelineModel(folder, loras, denoiser.named("refiner"), config.withSampleSizeOf(base.config), extra,
            texts, decoder, decoderConfig, scheduler);
    }

    /** What lies in the model's folder, and who reads it. */
    Inventory inventory() {
        Set<Path> weights = Stream.concat(Stream.of(denoiser.graph(), decoder),
                texts.models(0).stream().map(text -> text.model().graph()))
            .flatMap(graph -> graph.weightFiles().stream()).collect(Collectors.toSet());
        return folder.inventory(weights);
    }

    Conditions conditions() {
        return new Conditions(this);
    }

    /** What an upscaler blurs the picture with. */
    ForwardNoise lowResolutionNoise() {
        ConfigFile config = folder.lowResolutionNoise();
        return ForwardNoise.parse(config.root().toString(), config.path().toString());
    }

    @Override
    public void close() {
        texts.close();
        loras.close();
    }
}
