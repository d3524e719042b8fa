package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.text.Tokenizer;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.DecoderConfig;
import dev.slipstream.pipelines.model.DenoiserConfig;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.ModelFolder;
import java.util.Set;

/** The parts of a text-to-image model, read. */
record PipelineModel(ModelFolder folder, DenoiserModel denoiser, DenoiserConfig config, Graph textEncoder,
    Tokenizer tokenizer, Graph decoder, DecoderConfig decoderConfig, NoiseScheduler scheduler) {

    private static final Set<String> SUPPORTED = Set.of("StableDiffusionPipeline", "OnnxStableDiffusionPipeline",
        "LatentConsistencyModelPipeline", "ORTStableDiffusionPipeline");

    /** @param precision of the denoiser; the other components compute as their files say */
    static PipelineModel read(ModelFolder folder, Precision precision) {
        folder.pipelineClass().filter(name -> !SUPPORTED.contains(name)).ifPresent(name -> {
            throw new ModelException(folder + "/model_index.json: pipelines of class " + name
                + " cannot be run yet; there are " + SUPPORTED.stream().sorted().toList());
        });
        ConfigFile scheduler = folder.noiseScheduler();
        return new PipelineModel(folder, readDenoiser(folder).withPrecision(precision), folder.denoiserConfig(),
            GraphFile.read(folder.require(Component.TEXT_ENCODER)), Tokenizer.open(folder.tokenizer()),
            GraphFile.read(folder.require(Component.VAE_DECODER)), folder.decoderConfig(),
            NoiseScheduler.parse(scheduler.root().toString(), scheduler.path().toString()));
    }

    static DenoiserModel readDenoiser(ModelFolder folder) {
        return DenoiserModel.read(folder, ComponentFormat.of(folder.folder(Component.DENOISER)));
    }
}
