package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.text.PromptException;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

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
    static final String CONTEXT = "encoder_hidden_states";

    private final PipelineModel model;
    private final Strategy strategy;
    private final int devices;
    private final LoopOptions options;
    private final ComponentModel text;
    private final long pixelsPerLatent;
    private final Map<LoopShape, Blueprint> blueprints = new HashMap<>();

    PipelineDraft(PipelineModel model, Strategy strategy, int devices, LoopOptions options) {
        this.model = model;
        this.strategy = strategy;
        this.devices = devices;
        this.options = options;
        this.text = TextEncoder.fix(model.textEncoder(), model.tokenizer());
        TensorType latents = latents(model.config().sampleHeight(), model.config().sampleWidth());
        ComponentModel decoder = ImageDecoder.fix(model.decoder(), latents);
        this.pixelsPerLatent = decoder.outputs().get(decoder.output()).shape().dim(2) / latents.shape().dim(2);
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

    /** The text encoder, fixed to two prompts. */
    ComponentModel text() {
        return text;
    }

    /**
     * The request with all that it leaves to the model filled in: noise scheduler, width and height.
     *
     * @throws RuntimeException as {@link #check}
     */
    public ImageRequest completed(ImageRequest request) {
        TensorType latents = shape(request).latents();
        return request.withScheduler(noise(request).name()).withSize(
            Math.toIntExact(latents.shape().dim(3) * pixelsPerLatent),
            Math.toIntExact(latents.shape().dim(2) * pixelsPerLatent));
    }

    /** What the request would run: plan, segments and sizes. */
    public Blueprint blueprint(ImageRequest request) {
        return blueprint(shape(request));
    }

    synchronized Blueprint blueprint(LoopShape shape) {
        return blueprints.computeIfAbsent(shape, key -> Blueprint.draw(model.denoiser(), key, strategy, devices));
    }

    /** The program that the request would run, for devices that copy on the stream on which they compute. */
    public Program program(ImageRequest request) {
        return program(request, plain());
    }

    private Program program(ImageRequest request, UnrollOptions unrolled) {
        return blueprint(request).program(noise(request), loopGuidance(request), options.keepLatents(),
            request.previewEvery(), unrolled);
    }

    private UnrollOptions plain() {
        return UnrollOptions.PLAIN.withGuards(options.guarded());
    }

    /** What the request takes on each device, in the plan's order: an estimate, as in {@link #program}. */
    public List<MemoryNeed> memory(ImageRequest request) {
        return memory(request, plain(), true);
    }

    /** @param encoder whether the text encoder is yet to be built */
    List<MemoryNeed> memory(ImageRequest request, UnrollOptions unrolled, boolean encoder) {
        Blueprint blueprint = blueprint(request);
        Program program = program(request, unrolled);
        long components = model.decoder().weightBytes() + (encoder ? text.graph().weightBytes() : 0);
        return IntStream.range(0, devices).mapToObj(device -> new MemoryNeed(blueprint.weightBytes(device),
            device == 0 ? components : 0, program.bufferBytes(device), blueprint.workBytes(device))).toList();
    }

    /**
     * Finds out whether the request can be drawn, as far as that is known before engines are built.
     *
     * @throws PromptException if a prompt has more tokens than the text encoder takes
     * @throws IllegalArgumentException if the size does not fit the model
     * @throws dev.slipstream.pipelines.diffusion.noise.NoiseSchedulerException if there is no such noise scheduler, or
     *     it cannot take so many steps
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     * @throws dev.slipstream.pipelines.graph.GraphException if the denoiser does not take this size or cannot be cut
     */
    public void check(ImageRequest request) {
        for (String prompt : List.of(request.prompt(), request.negative())) {
            model.tokenizer().encodeWhole(prompt);
        }
        noise(request);
        blueprint(request);
    }

    NoiseTable noise(ImageRequest request) {
        NoiseScheduler scheduler = request.scheduler().map(model.scheduler()::withMethod).orElse(model.scheduler());
        return scheduler.table(request.steps());
    }

    static double loopGuidance(ImageRequest request) {
        return request.isGuided() ? request.guidance() : 1;
    }

    LoopShape shape(ImageRequest request) {
        TensorType context = text.outputs().get(text.output());
        long height = request.height().isPresent() ? side("height", request.height().getAsInt())
            : model.config().sampleHeight();
        long width = request.width().isPresent() ? side("width", request.width().getAsInt())
            : model.config().sampleWidth();
        return new LoopShape(latents(height, width), model.config().inChannels() - model.config().outChannels(),
            request.isGuided(), Map.of(CONTEXT, request.isGuided() ? context : LoopShape.withRows(context, 1)));
    }

    private TensorType latents(long height, long width) {
        return TensorType.of(DataType.FLOAT32, 1, model.config().outChannels(), height, width);
    }

    private long side(String name, int pixels) {
        if (pixels < pixelsPerLatent || pixels % pixelsPerLatent != 0) {
            throw new IllegalArgumentException("the " + name + " must be a multiple of " + pixelsPerLatent
                + " pixels for this model, not " + pixels);
        }
        return pixels / pixelsPerLatent;
    }

    @Override
    public void close() {
        model.tokenizer().close();
    }
}
