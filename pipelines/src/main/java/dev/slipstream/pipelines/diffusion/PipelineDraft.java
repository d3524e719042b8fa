package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A pipeline on paper: a model that was read, a strategy and a number of devices. It tells what a request would run and
 * what is wrong with it, and neither opens devices nor builds engines; the devices need not even be there.
 *
 * <pre>{@code
 * try (PipelineDraft draft = DiffusionPipeline.of(model).devices("cuda:0", "cuda:1").plan("asyncdiff").draft()) {
 *     Program program = draft.program(ImageRequest.of("a red star"));
 * }
 * }</pre>
 *
 * <p><b>Threads:</b> any. <b>Ownership:</b> its owner closes it; the draft of a pipeline belongs to the pipeline.
 */
public final class PipelineDraft implements AutoCloseable {
    private final PipelineModel model;
    private final Strategy strategy;
    private final int devices;
    private final LoopOptions options;
    private final Autoencoder autoencoder;
    private final Map<LoopShape, Blueprint> blueprints = new HashMap<>();
    private DenoiserModel repainting;

    PipelineDraft(PipelineModel model, Strategy strategy, int devices, LoopOptions options, Tiles tiles) {
        this.model = model;
        this.strategy = strategy;
        this.devices = devices;
        this.options = options;
        this.autoencoder = new Autoencoder(model, tiles);
    }

    PipelineModel model() {
        return model;
    }

    /** The precision of the denoiser. */
    public Precision precision() {
        return model.denoiser().precision();
    }

    LoopOptions options() {
        return options;
    }

    Autoencoder autoencoder() {
        return autoencoder;
    }

    /**
     * The request with all that it leaves to the model filled in: noise scheduler, width and height.
     *
     * @throws RuntimeException as {@link #check}
     */
    public ImageRequest completed(ImageRequest request) {
        return commission(request).completed();
    }

    /** What the request would run: plan, segments and sizes. */
    public Blueprint blueprint(ImageRequest request) {
        return blueprint(commission(request).shape());
    }

    synchronized Blueprint blueprint(LoopShape shape) {
        return blueprints.computeIfAbsent(shape, key -> Blueprint.draw(denoiser(key), key, strategy, devices));
    }

    private DenoiserModel denoiser(LoopShape shape) {
        if (!shape.conditions().containsKey(RepaintMask.INPUT)) {
            return model.denoiser();
        }
        if (repainting == null) {
            repainting = model.denoiser().repainting();
        }
        return repainting;
    }

    /** The program that the request would run, for devices that copy on the stream on which they compute. */
    public Program program(ImageRequest request) {
        return program(request, plain());
    }

    private Program program(ImageRequest request, UnrollOptions unrolled) {
        return blueprint(request).program(noise(request), commission(request).loopGuidance(),
            options.keepLatents(), request.previewEvery(), unrolled);
    }

    private UnrollOptions plain() {
        return UnrollOptions.PLAIN.withGuards(options.guarded());
    }

    /** What the request takes on each device, in the plan's order: an estimate, as in {@link #program}. */
    public List<MemoryNeed> memory(ImageRequest request) {
        return memory(request, plain(), EnumSet.allOf(Component.class));
    }

    /** @param lacking which components are yet to be built, or more than the request needs */
    List<MemoryNeed> memory(ImageRequest request, UnrollOptions unrolled, Set<Component> lacking) {
        Commission commission = commission(request);
        Blueprint blueprint = blueprint(request);
        Program program = program(request, unrolled);
        boolean encodes = commission.encodesPicture();
        long components = (lacking.contains(Component.VAE_DECODER) ? model.decoder().weightBytes() : 0)
            + (lacking.contains(Component.TEXT_ENCODER) ? model.texts().weightBytes() : 0)
            + (encodes && lacking.contains(Component.VAE_ENCODER) ? autoencoder.encoderGraph().weightBytes() : 0);
        long work = autoencoder.workBytes(commission.shape().latents(), encodes);
        return IntStream.range(0, devices).mapToObj(device -> new MemoryNeed(blueprint.weightBytes(device),
            device == 0 ? components : 0, program.bufferBytes(device),
            Math.max(blueprint.workBytes(device), device == 0 ? work : 0))).toList();
    }

    /**
     * Finds out whether the request can be drawn, as far as that is known before engines are built.
     *
     * @throws IllegalArgumentException if the size does not fit the model, or the request brings what such a model
     *     does not take
     * @throws dev.slipstream.pipelines.model.ModelException if a part of the model is missing that the request needs
     * @throws dev.slipstream.pipelines.diffusion.noise.NoiseSchedulerException if there is no such noise scheduler, or
     *     it cannot take so many steps
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     * @throws dev.slipstream.pipelines.graph.GraphException if the denoiser does not take this size or cannot be cut
     */
    public void check(ImageRequest request) {
        // Refuses texts that no tokenizer should see.
        warnings(request);
        noise(request);
        blueprint(request);
        model.texts().models(request.conditioning().clipSkip());
        if (commission(request).encodesPicture()) {
            autoencoder.encoderGraph();
        }
    }

    /** What the model will not see of the prompts, which are cut where they are too long; one sentence each. */
    public List<String> warnings(ImageRequest request) {
        return Stream.of(request.prompt(), request.negative())
            .flatMap(prompt -> model.texts().complaints(prompt).stream()).toList();
    }

    /** The steps that the request takes, as its noise scheduler works them out. */
    public NoiseTable noise(ImageRequest request) {
        return commission(request).noise();
    }

    Commission commission(ImageRequest request) {
        return new Commission(model, autoencoder.pixelsPerLatent(), request);
    }

    @Override
    public void close() {
        model.close();
    }
}
