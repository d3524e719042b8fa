package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.diffusion.component.RequestKeys;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.MemoryNeed;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.family.Filming;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans.Chosen;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.model.folder.ControlFolders;
import dev.slipstream.pipelines.model.folder.Inventory;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A pipeline on paper: a model that was read, a strategy and a number of devices. It tells what a request would run and
 * what is wrong with it, and neither opens devices nor builds engines; the devices need not even be there.
 *
 * <pre>{@code
 * try (PipelineSpec spec = DiffusionPipeline.of(model).devices("cuda:0", "cuda:1").plan("asyncdiff").spec()) {
 *     List<Long> bytes = spec.memoryBytes(ImageRequest.of("a red star").withSize(1024, 1024));
 * }
 * }</pre>
 *
 * <p>Where a refiner takes over, this is the spec of the model that begins, and {@link #refiner} that of the other:
 * {@link #plan} is of one model, the rest of both.
 *
 * <p><b>Threads:</b> any. <b>Ownership:</b> its owner closes it; the spec of a pipeline belongs to the pipeline.
 */
public final class PipelineSpec implements AutoCloseable {
    private final PipelineStage stage;
    private final List<DeviceForm> devices;
    private final LoopOptions options;
    private final Optional<PipelineSpec> refiner;

    /**
     * @param devices what each takes for a graph, in the plan's order
     * @param refiner the spec of the model that takes the rest; its owner is this spec, once both fit
     * @throws dev.slipstream.pipelines.model.ModelException if the refiner does not fit the model
     */
    PipelineSpec(PipelineStage stage, List<DeviceForm> devices, LoopOptions options, Optional<PipelineSpec> refiner) {
        this.stage = stage;
        this.devices = List.copyOf(devices);
        this.options = options;
        this.refiner = refiner;
        refiner.ifPresent(next -> stage.requireFits(next.stage));
    }

    /** Reads the models. @throws dev.slipstream.bridge.SlipstreamException if one is damaged, or they do not fit */
    static PipelineSpec of(PipelineSettings<?> settings) {
        List<DeviceForm> devices = settings.usedDevices().stream()
            .map(device -> DeviceForm.of(device, settings.providers)).toList();
        LoadedModel base = LoadedModel.read(settings.model.open(settings.precision.type()), settings.loras,
            settings.embeddings, settings.precision, folder -> ControlFolders.with(folder, settings.controls),
            settings.layers);
        Optional<PipelineSpec> second = Optional.empty();
        try {
            second = settings.refiner.map(next -> refiner(next, base, settings, devices));
            NoiseSpan span = second.isPresent() ? new NoiseSpan(0, settings.handover) : NoiseSpan.WHOLE;
            return new PipelineSpec(PipelineStage.of(base, settings.plans(base), settings.tiles,
                settings.previewDecoder.filter(it -> settings.refiner.isEmpty()), span), devices, settings.options,
                second);
        } catch (RuntimeException | Error failure) {
            second.ifPresent(PipelineSpec::close);
            base.close();
            throw failure;
        }
    }

    private static PipelineSpec refiner(Path next, LoadedModel base, PipelineSettings<?> settings,
        List<DeviceForm> devices) {
        LoadedModel read = LoadedModel.read(ModelSource.of(next).open(), settings.precision).refining(base);
        try {
            return new PipelineSpec(PipelineStage.of(read, settings.plans(read), settings.tiles,
                settings.previewDecoder, new NoiseSpan(settings.handover, 1)), devices, settings.options,
                Optional.empty());
        } catch (RuntimeException | Error failure) {
            read.close();
            throw failure;
        }
    }

    /** The model that takes the last steps, where there is one: the same requests, the same strategy and devices. */
    public Optional<PipelineSpec> refiner() {
        return refiner;
    }

    /** The part of the steps that this model takes. */
    NoiseSpan span() {
        return stage.span();
    }

    /** The models that draw a picture, in the order of their steps. */
    List<PipelineStage> stages() {
        return refiner.map(next -> List.of(stage, next.stage)).orElseGet(() -> List.of(stage));
    }

    /** Whether the model makes videos; then it takes a {@link VideoRequest}, and otherwise an {@link ImageRequest}. */
    public boolean makesVideos() {
        return stage.model().form().frames().areThere();
    }

    /** In which the denoiser computes. */
    public DataType precision() {
        return stage.model().denoiser().precision().type();
    }

    LoopOptions options() {
        return options;
    }

    /**
     * The request with all that it leaves to the model filled in: steps, guidance, noise scheduler, width and
     * height.
     *
     * @throws RuntimeException as {@link #check(ImageRequest)}
     */
    public ImageRequest completed(ImageRequest request) {
        ResolvedRequest first = resolve(request.drawing()).getFirst();
        return request.withUsual(first.usual()).withScheduler(first.noise().name())
            .withSize(first.wantedWidth(), first.wantedHeight());
    }

    /**
     * The same for a video, with frames and frame rate.
     *
     * @throws RuntimeException as {@link #check(ImageRequest)}
     */
    public VideoRequest completed(VideoRequest request) {
        ResolvedRequest first = resolve(request.drawing()).getFirst();
        Filming filming = first.filming().orElseThrow();
        return request.withUsual(first.usual()).withScheduler(first.noise().name())
            .withSize(first.width(), first.height()).withFrames(filming.frames())
            .withFramesPerSecond(filming.framesPerSecond());
    }

    /**
     * Works out what the request is for each model, in the order of their steps. That costs little beside cutting the
     * denoiser, which comes later.
     *
     * @throws RuntimeException as {@link #check(ImageRequest)}, for all that can be known without cutting
     */
    List<ResolvedRequest> resolve(RequestCore.Drawing request) {
        List<ResolvedRequest> all = new ArrayList<>();
        int before = 0;
        RequestCore.Drawing next = request;
        for (PipelineStage each : stages()) {
            ResolvedRequest resolved = new ResolvedRequest(each, next, before);
            each.plans().check(resolved.shape());
            all.add(resolved);
            before += resolved.noise().steps();
            // What the first model completes and draws is what the next one goes on with.
            next = resolved.request().withSize(resolved.width(), resolved.height());
        }
        if (all.size() > 1) {
            requireCanHandOver(all.getFirst(), all.getLast());
        }
        return all;
    }

    /** @throws RequestException if the refiner cannot go on with the model's latents for this request */
    private static void requireCanHandOver(ResolvedRequest model, ResolvedRequest refiner) {
        if (model.isMasked()) {
            throw new RequestException("a refiner does not repaint; leave out the mask or the refiner");
        }
        if (!model.latents().shape().equals(refiner.latents().shape())) {
            throw new RequestException("the model draws " + model.width() + "x" + model.height()
                + " pixels and the refiner " + refiner.width() + "x" + refiner.height()
                + " for this size; take another size");
        }
        if (model.keepsPicture() != refiner.keepsPicture()) {
            throw new RequestException("the refiner would take latents of " + model.noise().name() + " with "
                + refiner.noise().name()
                + ", which scales them in another manner; choose one noise scheduler for both models");
        }
    }

    /** The same for a request for pictures. */
    List<ResolvedRequest> resolve(ImageRequest request) {
        return resolve(request.drawing());
    }

    /** For this model alone. */
    private ResolvedRequest own(RequestCore.Drawing request) {
        return new ResolvedRequest(stage, request, 0);
    }

    /** Which segment would run on which device. @throws RuntimeException as {@link #check(ImageRequest)} */
    public Plan plan(ImageRequest request) {
        return denoiser(request).plan();
    }

    /** The same for a video. @throws RuntimeException as {@link #check(ImageRequest)} */
    public Plan plan(VideoRequest request) {
        return own(request.drawing()).denoiser().plan();
    }

    /**
     * Bytes that the request takes on each device, in the plan's order: an estimate, made without building anything.
     *
     * @throws RuntimeException as {@link #check(ImageRequest)}
     */
    public List<Long> memoryBytes(ImageRequest request) {
        return bytes(request.drawing());
    }

    /** The same for a video. @throws RuntimeException as {@link #check(ImageRequest)} */
    public List<Long> memoryBytes(VideoRequest request) {
        return bytes(request.drawing());
    }

    private List<Long> bytes(RequestCore.Drawing request) {
        return memory(request).stream().map(MemoryNeed::totalBytes).toList();
    }

    /**
     * Parts of which such a spec is made, for tools that come with Slipstream: their types are no API and may change in
     * any release.
     *
     * @throws IllegalArgumentException if there is no such part
     */
    public <T> T unwrap(ImageRequest request, Class<T> part) {
        return unwrap(request.drawing(), part);
    }

    /** The same for a video. @throws IllegalArgumentException if there is no such part */
    public <T> T unwrap(VideoRequest request, Class<T> part) {
        return unwrap(request.drawing(), part);
    }

    private <T> T unwrap(RequestCore.Drawing request, Class<T> part) {
        Supplier<?> found = Map.<Class<?>, Supplier<?>>of(PartitionedDenoiser.class, () -> own(request).denoiser(),
            Program.class, () -> program(own(request), UnrollOptions.PLAIN),
            NoiseTable.class, () -> own(request).noise(), RequestKeys.class, () -> own(request).keys(),
            Chosen.class, () -> own(request).chosen(),
            MemoryNeed[].class, () -> memory(request).toArray(MemoryNeed[]::new), Inventory.class, this::inventory)
            .get(part);
        if (found == null) {
            throw new IllegalArgumentException("a pipeline on paper has no " + part.getName());
        }
        return part.cast(found.get());
    }

    /** What the request would run: plan, segments and sizes. */
    PartitionedDenoiser denoiser(ImageRequest request) {
        return own(request.drawing()).denoiser();
    }

    /** The program that the request would run, for devices that copy on the stream on which they compute. */
    Program program(ImageRequest request) {
        return program(own(request.drawing()), UnrollOptions.PLAIN);
    }

    private Program program(ResolvedRequest request, UnrollOptions unrolling) {
        return request.keys().loop().program(options.kept(), unrolling.withFiniteChecks(options.guarded()));
    }

    /**
     * What the request takes on each device, in the plan's order: an estimate for devices that copy as in
     * {@link #program}, or read in place what others made. A refiner is there beside the model that begins, and adds
     * what it takes.
     */
    List<MemoryNeed> memory(ImageRequest request) {
        return memory(request.drawing());
    }

    private List<MemoryNeed> memory(RequestCore.Drawing request) {
        UnrollOptions unrolling = devices.stream().allMatch(DeviceForm::readsInPlace) ? UnrollOptions.IN_PLACE
            : UnrollOptions.PLAIN;
        return resolve(request).stream().map(it -> it.keys().need(devices, program(it, unrolling),
            options.overlapped()))
            .reduce(MemoryNeed::sums).orElseThrow();
    }

    /**
     * Finds out whether the request can be drawn, as far as that is known before engines are built.
     *
     * @throws dev.slipstream.pipelines.model.RequestException if the size does not fit the model, or the request brings
     *     what such a model does not take, or the noise schedulers of model and refiner do not fit together
     * @throws dev.slipstream.pipelines.model.ModelException if a part of the model is missing that the request needs
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     * @throws dev.slipstream.bridge.SlipstreamException also if there is no such noise scheduler, it cannot take so
     *     many steps, or the denoiser does not take this size or cannot be cut; {@code fault()} says whose fault it is
     */
    public void check(ImageRequest request) {
        resolve(request.drawing()).forEach(ResolvedRequest::denoiser);
    }

    /** The same for a video. @throws RuntimeException as {@link #check(ImageRequest)} */
    public void check(VideoRequest request) {
        resolve(request.drawing()).forEach(ResolvedRequest::denoiser);
    }

    /** What lies in the folder of the model, or of the one that begins, and what of it is read. */
    Inventory inventory() {
        return stage.model().inventory();
    }

    /** What is to be told of the models themselves, whatever is asked of them: files that nothing reads. */
    public List<String> warnings() {
        return stages().stream().flatMap(each -> each.model().inventory().warnings().stream()).distinct().toList();
    }

    /**
     * What the models will not see of the request, one sentence each: the ends of prompts, which are cut off where they
     * are too long and not {@link Conditioning#readsWhole read whole}, and the fractions of timesteps, where a
     * denoiser's graph needs whole ones.
     */
    public List<String> warnings(ImageRequest request) {
        return warnings(resolve(request.drawing()));
    }

    /** The same for a video. */
    public List<String> warnings(VideoRequest request) {
        return warnings(resolve(request.drawing()));
    }

    static List<String> warnings(List<ResolvedRequest> request) {
        return request.stream().flatMap(resolved -> resolved.warnings().stream()).distinct().toList();
    }

    /** The steps that the model takes, as its noise scheduler works them out. */
    NoiseTable noise(ImageRequest request) {
        return own(request.drawing()).noise();
    }

    @Override
    public void close() {
        stages().forEach(each -> each.model().close());
    }
}
