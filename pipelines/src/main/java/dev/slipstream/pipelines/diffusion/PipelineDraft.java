package dev.slipstream.pipelines.diffusion;

import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.inventory.Inventory;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import dev.slipstream.pipelines.run.UnrollOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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
 * <p>Where a refiner takes over, this is the draft of the model that begins, and {@link #refiner} that of the other:
 * {@link #program}, {@link #blueprint} and {@link #noise} are of one model, the rest of both.
 *
 * <p><b>Threads:</b> any. <b>Ownership:</b> its owner closes it; the draft of a pipeline belongs to the pipeline.
 */
public final class PipelineDraft implements AutoCloseable {
    private final PipelineModel model;
    private final Strategy strategy;
    private final List<DeviceForm> devices;
    private final LoopOptions options;
    private final NoiseSpan span;
    private final Optional<PipelineDraft> refiner;
    private final Autoencoder autoencoder;
    private final BlueprintCache blueprints = new BlueprintCache();
    private DenoiserModel repainting;

    /**
     * @param devices what each takes for a graph, in the plan's order
     * @param span the part of the steps that this model takes
     * @param refiner the draft of the model that takes the rest; its owner is this draft, once both fit
     * @throws dev.slipstream.pipelines.model.ModelException if the refiner does not fit the model
     */
    PipelineDraft(PipelineModel model, Strategy strategy, List<DeviceForm> devices, LoopOptions options, Tiles tiles,
        NoiseSpan span, Optional<PipelineDraft> refiner) {
        this.model = model;
        this.strategy = strategy;
        this.devices = List.copyOf(devices);
        this.options = options;
        this.span = span;
        this.refiner = refiner;
        this.autoencoder = new Autoencoder(model, tiles);
        refiner.ifPresent(next -> new Handover(this, next).check());
    }

    /** The model that takes the last steps, where there is one: the same requests, the same strategy and devices. */
    public Optional<PipelineDraft> refiner() {
        return refiner;
    }

    /** The part of the steps that this model takes. */
    public NoiseSpan span() {
        return span;
    }

    /** The models that draw a picture, in the order of their steps. */
    List<PipelineDraft> models() {
        return refiner.map(next -> List.of(this, next)).orElseGet(() -> List.of(this));
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
        return resolve(request).getFirst().completed();
    }

    /**
     * Works out what the request is for each model, in the order of their steps. That costs little beside cutting the
     * denoiser, which comes later.
     *
     * @throws RuntimeException as {@link #check}, for all that can be known without cutting
     */
    List<ResolvedRequest> resolve(ImageRequest request) {
        List<ResolvedRequest> all = new ArrayList<>();
        int before = 0;
        for (PipelineDraft draft : models()) {
            ResolvedRequest resolved = new ResolvedRequest(draft, request, before);
            Blueprint.check(draft.denoiser(resolved.shape()), resolved.shape(), strategy, devices.size());
            all.add(resolved);
            before += resolved.noise().steps();
        }
        if (all.size() > 1) {
            Handover.check(all.getFirst(), all.getLast());
        }
        return all;
    }

    /** For this model alone. */
    private ResolvedRequest own(ImageRequest request) {
        return new ResolvedRequest(this, request, 0);
    }

    /** What the request would run: plan, segments and sizes. */
    public Blueprint blueprint(ImageRequest request) {
        return blueprint(own(request).shape());
    }

    Blueprint blueprint(LoopShape shape) {
        return blueprints.get(shape, () -> Blueprint.draw(denoiser(shape), shape, strategy, devices.size()));
    }

    private synchronized DenoiserModel denoiser(LoopShape shape) {
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
        return program(own(request), plain());
    }

    Program program(ResolvedRequest request, UnrollOptions unrolled) {
        return blueprint(request.shape()).program(request.noise(), request.guidance(), options.keepLatents(),
            request.estimates(), unrolled);
    }

    private UnrollOptions plain() {
        return UnrollOptions.PLAIN.withGuards(options.guarded());
    }

    /**
     * What the request takes on each device, in the plan's order: an estimate, as in {@link #program}. A refiner is
     * there beside the model that begins, and adds what it takes.
     */
    public List<MemoryNeed> memory(ImageRequest request) {
        return resolve(request).stream().map(it -> MemoryNeed.together(Stream.concat(
                Part.of(it).stream().map(Part::need),
                Stream.of(MemoryNeed.ofBuffers(devices.size(), it.draft().program(it, plain())))).toList()))
            .reduce(MemoryNeed::sums).orElseThrow();
    }

    /** What devices take for a graph, in the plan's order. */
    List<DeviceForm> devices() {
        return devices;
    }

    /**
     * Finds out whether the request can be drawn, as far as that is known before engines are built.
     *
     * @throws IllegalArgumentException if the size does not fit the model, or the request brings what such a model
     *     does not take, or the noise schedulers of model and refiner do not fit together
     * @throws dev.slipstream.pipelines.model.ModelException if a part of the model is missing that the request needs
     * @throws dev.slipstream.pipelines.diffusion.noise.NoiseSchedulerException if there is no such noise scheduler, or
     *     it cannot take so many steps
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     * @throws dev.slipstream.pipelines.graph.GraphException if the denoiser does not take this size or cannot be cut
     */
    public void check(ImageRequest request) {
        resolve(request).forEach(resolved -> resolved.draft().blueprint(resolved.shape()));
    }

    /** What lies in the folder of the model, or of the one that begins, and who reads it. */
    public Inventory inventory() {
        return model.inventory();
    }

    /** What is to be told of the models themselves, whatever is asked of them: files that nothing reads. */
    public List<String> warnings() {
        return models().stream().flatMap(draft -> draft.inventory().warnings().stream()).distinct().toList();
    }

    /**
     * What the models will not see of the request, one sentence each: the ends of prompts, which are cut off where they
     * are too long and not {@link dev.slipstream.pipelines.diffusion.text.PromptReading#whole read whole}, and the
     * fractions of timesteps, where a denoiser's graph needs whole ones.
     */
    public List<String> warnings(ImageRequest request) {
        return warnings(resolve(request));
    }

    static List<String> warnings(List<ResolvedRequest> request) {
        return request.stream().flatMap(resolved -> resolved.warnings().stream()).distinct().toList();
    }

    /** The steps that the model takes, as its noise scheduler works them out. */
    public NoiseTable noise(ImageRequest request) {
        return own(request).noise();
    }

    @Override
    public void close() {
        models().forEach(draft -> draft.model.close());
    }
}
