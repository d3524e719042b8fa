package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.provider.Closer;
import dev.slipstream.pipelines.cache.LatentCache;
import dev.slipstream.pipelines.cache.LatentStore;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds;
import dev.slipstream.pipelines.diffusion.callback.Callbacks;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.queue.RequestQueue;
import dev.slipstream.pipelines.model.RequestException;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a text to a picture. Opening reads a model and opens devices; the first request builds engines, which stay.
 *
 * <pre>{@code
 * try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of("samples/model"))
 *         .devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=3").open()) {
 *     Generation generation = pipeline.submit(ImageRequest.of("a large red star on a blue background").withSeed(7));
 *     Image image = generation.result().join().image();
 * }
 * }</pre>
 *
 * <p><b>Threads:</b> any thread may submit; requests run one after another on a thread of its own, and callbacks on
 * others ({@link Builder#callbacks}). <b>Ownership:</b> it owns devices, engines and buffers, and keeps engines for
 * later requests ({@link Builder#engineMemory}); {@link #close} frees all. A request that fails leaves it usable.
 */
public final class DiffusionPipeline implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DiffusionPipeline.class);

    private final List<Device> devices;
    private final PipelineSpec spec;
    private final EngineCache engines;
    private final RequestQueue queue;
    private final Optional<Reuse.Store> reuse;
    private final Consumer<String> warned;
    private final Callbacks callbacks;

    private DiffusionPipeline(PipelineSpec spec, List<Device> devices, Builder settings) {
        this.devices = devices;
        this.spec = spec;
        this.engines = new EngineCache(devices, spec.options(), settings.engineMemory);
        List<AutoCloseable> owned = new ArrayList<>(devices);
        owned.add(spec);
        owned.add(engines);
        this.reuse = settings.latents.map(store -> store.apply(spec.stages().getFirst().model()));
        reuse.ifPresent(owned::add);
        this.queue = new RequestQueue(owned, settings.timelines);
        this.warned = Callbacks.tolerant("warnings", settings.warned);
        this.callbacks = settings.callbacks.map(Callbacks::on).orElseGet(Callbacks::onOwnThreads);
        spec.warnings().forEach(warned);
        queue.start();
    }

    /** Starts to describe a pipeline. @param model a folder in the layout of diffusers, or a checkpoint in one file */
    public static Builder of(Path model) {
        return new Builder(model);
    }

    /** What to open: a model, devices and a plan. One thread at a time may use it; it may open several pipelines. */
    public static final class Builder extends PipelineSettings<Builder> {
        private Optional<Executor> callbacks = Optional.empty();
        private OptionalLong engineMemory = OptionalLong.empty();
        private Optional<Function<LoadedModel, Reuse.Store>> latents = Optional.empty();
        private Optional<Consumer<Timeline>> timelines = Optional.empty();
        private Consumer<String> warned = warning -> LOG.warn("{}", warning);

        private Builder(Path model) {
            super(model);
        }

        @Override
        Builder self() {
            return this;
        }

        /**
         * Whether the prompts of the next request are encoded, and the pictures of the one before decoded, while one is
         * denoised, on the device that the loop leaves idle most, if there is room for all at once. The pictures are
         * the same. More of those that wait are drawn in the same time where devices wait for each other. Not if not
         * said.
         */
        public Builder overlapped(boolean overlapped) {
            options = options.withOverlap(overlapped);
            return this;
        }

        /**
         * Who is told, after each loop, what ran where and when in it, on the thread that draws; what it throws fails
         * the request. A refiner has a loop of its own. Timing takes a little time, and nothing is replayed.
         */
        public Builder timelines(Consumer<Timeline> listener) {
            timelines = Optional.of(listener);
            options = options.withTrace(true);
            return this;
        }

        /**
         * Where callbacks run: those of {@link Generation}'s futures, and listeners to progress. If not said, each has
         * a daemon thread that ends when idle. The caller shuts the executor down; what it refuses runs on such a
         * thread. One that runs tasks in the calling thread holds up the drawing: callbacks must not wait for it then.
         */
        public Builder callbacks(Executor executor) {
            callbacks = Optional.of(executor);
            return this;
        }

        /**
         * How many bytes engines may take, on all devices together, while those of earlier requests are kept: those not
         * used for longest go, also when there are engines of more than about eight sizes. With 0 only what a request
         * needs is kept. If not said, half of what the device with most memory has free at first.
         *
         * @throws IllegalArgumentException if it is negative
         */
        public Builder engineMemory(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("engines take at least 0 bytes, not " + bytes);
            }
            engineMemory = OptionalLong.of(bytes);
            return this;
        }

        /**
         * A folder with latents of drawn pictures, for requests that ask for it ({@link ImageRequest#withCache}).
         * Several pipelines, and several processes, may share one. How much alike prompts must be says {@code
         * slipstream-latents.json} beside the model; without it latents are kept and none are used.
         *
         * @param maxBytes how much it may hold; when it is more, those go that save least for their bytes
         * @throws IllegalArgumentException if that is negative
         */
        public Builder latentCache(Path folder, long maxBytes) {
            return latentCache(folder, maxBytes, Optional.empty());
        }

        /** @param enough thresholds in place of those beside the model */
        Builder latentCache(Path folder, long maxBytes, Optional<Thresholds> enough) {
            Objects.requireNonNull(folder, "folder");
            if (maxBytes < 0) {
                throw new IllegalArgumentException("a cache of latents holds at least 0 bytes, not " + maxBytes);
            }
            latents = Optional.of(model -> new Reuse.Store(new LatentCache(folder, maxBytes),
                enough.orElseGet(() -> LatentThresholds.of(model.folder().path(), model.denoiser()))));
            return this;
        }

        /** For tools that come with Slipstream: what keeps latents and serves them. Its type is no API. */
        public Builder latents(Object store) {
            LatentStore kept = (LatentStore) Objects.requireNonNull(store, "store");
            latents = Optional.of(model -> new Reuse.Store(kept, Thresholds.NONE));
            return this;
        }

        /**
         * Who is told, one sentence a call, which files of a model are not read though they may say something, on the
         * thread that opens, and of requests {@link PipelineSpec#warnings(ImageRequest)}, on the one that submits.
         */
        public Builder warnings(Consumer<String> listener) {
            warned = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Opens the devices and reads the model.
         *
         * @throws dev.slipstream.pipelines.model.ModelException if a part of a model is missing or malformed, or the
         *     refiner does not fit; another {@link dev.slipstream.bridge.SlipstreamException} if a graph is damaged
         * @throws dev.slipstream.bridge.DeviceUnavailableException if there is no such device here
         */
        public DiffusionPipeline open() {
            return opened(() -> providers.open(usedDevices()), this::spec,
                (spec, found) -> new DiffusionPipeline(spec, found, this));
        }

        /** The pipeline on paper, for devices that need not exist. @throws RuntimeException as {@link #open} */
        public PipelineSpec spec() {
            return PipelineSpec.of(this);
        }
    }

    /**
     * Opens devices while a model is read: loading native libraries and reading the model take a like time.
     *
     * @param pipeline what becomes of both; its owner closes them
     * @throws RuntimeException or Error of the first that fails; then all that was opened is closed again
     */
    private static <M extends AutoCloseable, P> P opened(Supplier<List<Device>> devices, Supplier<M> model,
        BiFunction<M, List<Device>, P> pipeline) {
        CompletableFuture<List<Device>> opening = CompletableFuture.supplyAsync(devices,
            task -> Thread.ofPlatform().daemon().name("open devices").start(task));
        Closer opened = new Closer();
        try {
            M read = opened.own(model.get());
            List<Device> found = opening.join();
            found.forEach(opened::own);
            return pipeline.apply(read, found);
        } catch (RuntimeException | Error failure) {
            if (opened.isEmpty()) {
                opening.handle((all, unopened) -> all == null ? List.<Device>of() : all).join()
                    .forEach(opened::own);
            }
            Throwable reason = failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause() : failure;
            opened.closeAfter(reason);
            if (reason instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) reason;
        }
    }

    public List<Device> devices() {
        return devices;
    }

    /** The pipeline on paper: what a request would run, and what is wrong with it. It is closed with the pipeline. */
    public PipelineSpec spec() {
        return spec;
    }

    /**
     * Queues a request that the model can draw, as far as that is known before the denoiser is cut and built; what
     * fails later, such as a device without room, fails the generation.
     *
     * @throws IllegalStateException if the pipeline is closed
     * @throws RuntimeException as {@link PipelineSpec#check(ImageRequest)}, if the request cannot be drawn
     */
    public Generation submit(ImageRequest request) {
        ImageRequest seeded = request.withSeed(request.seed().orElseGet(ImageRequest::randomSeed));
        List<ResolvedRequest> resolved = resolve(seeded.drawing());
        Generation generation = new Generation(callbacks, it -> queue.remove(it.running()));
        ImageRequest whole = seeded.withUsual(resolved.getFirst().usual());
        queue.add(generation.running(), new RequestWork<>(generation.running(), resolved, engines, devices,
            reuse(resolved), (images, how) -> GeneratedImage.all(images, whole, how)));
        return generation;
    }

    /** Queues a request for a video; in all else like {@link #submit(ImageRequest)}. */
    public VideoGeneration submit(VideoRequest request) {
        VideoRequest seeded = request.withSeed(request.seed().orElseGet(ImageRequest::randomSeed));
        List<ResolvedRequest> resolved = resolve(seeded.drawing());
        VideoRequest whole = seeded.withUsual(resolved.getFirst().usual())
            .withFramesPerSecond(resolved.getFirst().filming().orElseThrow().framesPerSecond());
        VideoGeneration generation = new VideoGeneration(callbacks, it -> queue.remove(it.running()));
        queue.add(generation.running(), new RequestWork<>(generation.running(), resolved, engines, devices,
            reuse(resolved), (frames, how) -> new GeneratedVideo(frames, whole.withFrames(frames.size()), how)));
        return generation;
    }

    /** What the cache of latents has to do with a request. */
    private Optional<Reuse> reuse(List<ResolvedRequest> resolved) {
        if (resolved.getFirst().request().core().cache().isOff()) {
            return Optional.empty();
        }
        return Optional.of(new Reuse(reuse.orElseThrow(() -> new RequestException("this pipeline has no cache of "
            + "latents; open it with one (latentCache), or let the request be without")), resolved));
    }

    private List<ResolvedRequest> resolve(RequestCore.Drawing request) {
        List<ResolvedRequest> resolved = queue.whileOpen(() -> spec.resolve(request));
        PipelineSpec.warnings(resolved).forEach(warned);
        return resolved;
    }

    /**
     * Ends requests that wait with a {@link CancellationException}, waits for the one that runs, and frees all. Any
     * thread may, again and again: each call returns when that is done, but on the pipeline's own thread at once.
     *
     * @throws RuntimeException to the first who calls it, if something could not be freed; all else is
     */
    @Override
    public void close() {
        queue.close();
    }
}
