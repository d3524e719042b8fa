package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.provider.Owned;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.lora.Lora;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.plan.Strategies;
import dev.slipstream.pipelines.plan.Strategy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a text to a picture. Opening it reads a model folder and opens devices; engines are built when the first
 * request needs them and kept for the next.
 *
 * <pre>{@code
 * try (DiffusionPipeline pipeline = DiffusionPipeline.of(Path.of("samples/model"))
 *         .devices("cpu:1", "cpu:1").plan("asyncdiff:warmup=3").open()) {
 *     Generation generation = pipeline.submit(ImageRequest.of("a large red star on a blue background").withSeed(7));
 *     Image image = generation.result().join().image();
 * }
 * }</pre>
 *
 * <p><b>Threads:</b> any thread may submit; requests run one after another on a thread of the pipeline's own, and
 * callbacks on others ({@link Builder#callbacks}). <b>Ownership:</b> it owns devices, engines and buffers, and keeps
 * engines of earlier requests for later ones ({@link Builder#engineMemory}); {@link #close} frees all. A request that
 * fails leaves the pipeline usable.
 */
public final class DiffusionPipeline implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DiffusionPipeline.class);

    private final List<Device> devices;
    private final PipelineDraft draft;
    private final Painter painter;
    private final Consumer<String> warned;
    private final Callbacks callbacks;
    private final RequestQueue queue;

    private DiffusionPipeline(PipelineDraft draft, List<Device> devices, Builder settings) {
        this.devices = devices;
        this.draft = draft;
        this.painter = new Painter(devices, new EngineCache(devices, settings.engineMemory));
        this.warned = settings.warned;
        this.callbacks = settings.callbacks.map(Callbacks::on).orElseGet(Callbacks::onOwnThreads);
        this.queue = new RequestQueue(this::free);
    }

    /** Starts to describe a pipeline. @param model a model folder, see {@link ModelFolder} */
    public static Builder of(Path model) {
        return new Builder(model);
    }

    /** What to open: a model, devices and a plan. */
    public static final class Builder {
        private static final double USUAL_HANDOVER = 0.8;

        private final Path model;
        private List<DeviceSpec> devices = List.of(new DeviceSpec("cpu", "1"));
        private Strategy strategy = Strategies.parse("sequential");
        private Precision precision = Precision.FP32;
        private Devices providers = Devices.discover();
        private LoopOptions options = LoopOptions.DEFAULT;
        private Loras loras = Loras.NONE;
        private Tiles tiles = new Tiles.Whole();
        private Optional<Path> refiner = Optional.empty();
        private double handover = USUAL_HANDOVER;
        private Optional<Executor> callbacks = Optional.empty();
        private OptionalLong engineMemory = OptionalLong.empty();
        private Consumer<String> warned = warning -> LOG.warn("{}", warning);

        private Builder(Path model) {
            this.model = model;
        }

        /** The devices, in the plan's order, as {@link DeviceSpec#parse} reads them; one CPU thread if not said. */
        public Builder devices(String... specs) {
            devices = Stream.of(specs).map(DeviceSpec::parse).toList();
            return this;
        }

        /** The plan, as {@link Strategies#parse} reads it; {@code sequential} if not said. */
        public Builder plan(String spec) {
            strategy = Strategies.parse(spec);
            return this;
        }

        /**
         * The precision of the denoiser; fp32 if not said. Latents stay fp32 between its steps, and so do text encoder
         * and image decoder, which run once a picture. What is sensitive stays fp32 inside the denoiser, too; see
         * {@link dev.slipstream.pipelines.graph.precision.PrecisionRewrite}.
         */
        public Builder precision(Precision wanted) {
            precision = wanted;
            return this;
        }

        /**
         * How long a denoising step may take; {@link dev.slipstream.pipelines.run.Execution#DEFAULT_PATIENCE} if not
         * said. A request whose step takes longer fails with a
         * {@link dev.slipstream.pipelines.run.LoopStuckException} that says who waits for whom, and the devices that do
         * not move are given up.
         */
        public Builder patience(Duration longest) {
            options = options.withPatience(longest);
            return this;
        }

        /**
         * Whether what every segment makes is searched for NaN and infinite values, which costs a little at each step.
         * A request that makes some fails with a {@link dev.slipstream.pipelines.run.BadValueException} that names the
         * first segment. Not if not said.
         */
        public Builder guarded(boolean guarded) {
            options = options.withGuards(guarded);
            return this;
        }

        /**
         * Whether devices that can record what recurs from step to step replay it in one call. They do if not said;
         * without it every step is queued anew, which helps in finding out what a step costs.
         */
        public Builder replayed(boolean replayed) {
            options = options.withReplay(replayed);
            return this;
        }

        /** In what pieces the autoencoder works; it takes pictures whole if not said, which is exact. */
        public Builder tiles(Tiles wanted) {
            tiles = wanted;
            return this;
        }

        /**
         * Merges a LoRA into the model's weights; may be called several times.
         *
         * @param file safetensors, or the folder of an adapter as PEFT or diffusers save it
         * @param weight 1 as it was trained
         * @throws dev.slipstream.pipelines.model.ModelException if it is no LoRA, or one that cannot be merged as it
         *     is meant
         */
        public Builder lora(Path file, double weight) {
            return loras(loras.and(Lora.readAll(file), weight));
        }

        /** The LoRAs that are merged into the model's weights, instead of those given before. */
        public Builder loras(Loras all) {
            loras = all;
            return this;
        }

        /** A refiner that takes over after 0.8 of the way, as SDXL's is meant to: {@link #refiner(Path, double)}. */
        public Builder refiner(Path folder) {
            return refiner(folder, USUAL_HANDOVER);
        }

        /**
         * A second model that takes the last steps of each picture and decodes it (Podell et al. 2023, section 2.5;
         * what diffusers writes as {@code denoising_end} and {@code denoising_start}): SDXL's refiner, or any other
         * model that draws from a text and has latents of the same kind. It goes on with the latents as they are, with
         * its own noise scheduler unless the request names one for both, and with the same request, plan, devices and
         * precision; the plan's warm-up and tail are counted in each model's steps. Both models
         * stay on the devices. LoRAs change the first model only, which also takes in a picture to start from; masks
         * are refused.
         *
         * @param folder a model folder
         * @param share of the way from noise to picture after which it takes over, more than 0 and less than 1: of 1000
         *     timesteps 0.8 leaves it those below 200
         * @throws IllegalArgumentException if {@code share} is not between 0 and 1
         */
        public Builder refiner(Path folder, double share) {
            if (!(share > 0 && share < 1)) {
                throw new IllegalArgumentException("a refiner takes over between 0 and 1 of the way, not at " + share);
            }
            refiner = Optional.of(folder);
            handover = share;
            return this;
        }

        /**
         * Where callbacks run: those of {@link Generation}'s futures, and listeners to progress. If not said, each has
         * a daemon thread that is made when it is wanted and ends when idle. The caller shuts the executor down, if
         * need be; what it refuses runs on such a thread. An executor that runs tasks in the calling thread, or makes
         * it wait, holds up the drawing: there callbacks must not wait for this pipeline.
         */
        public Builder callbacks(Executor executor) {
            callbacks = Optional.of(executor);
            return this;
        }

        /**
         * How many bytes engines may take, on all devices together, while those of earlier requests are kept for later
         * ones: those not used for longest go, also when there are engines of more than about eight sizes. What a
         * request needs is built in any case, if the devices have room; with 0 nothing else is kept. If not said, half
         * of what the device with most memory has free when the first request runs.
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
         * Who is told, one sentence a call: when the pipeline opens, which files of a model are not read though they
         * may say something ({@link PipelineDraft#warnings()}), and what the model will not see of a request ({@link
         * PipelineDraft#warnings(ImageRequest)}), on the thread that submits and before
         * {@link DiffusionPipeline#submit} returns. What the listener throws is logged. The log if not said.
         */
        public Builder warnings(Consumer<String> listener) {
            warned = listener;
            return this;
        }

        /** Where devices come from, if not from all providers that are present. */
        public Builder providers(Devices from) {
            providers = from;
            return this;
        }

        /**
         * Opens the devices and reads the model.
         *
         * @throws dev.slipstream.pipelines.model.ModelException if a part of a model is missing or malformed, or the
         *     refiner does not fit the model
         * @throws dev.slipstream.pipelines.graph.GraphException if a graph is damaged
         * @throws dev.slipstream.bridge.DeviceUnavailableException if there is no such device here
         */
        public DiffusionPipeline open() {
            // Loading native libraries and reading the model take a like time.
            CompletableFuture<List<Device>> opening = CompletableFuture.supplyAsync(() -> providers.open(devices),
                task -> Thread.ofPlatform().daemon().name("open devices").start(task));
            Owned opened = new Owned();
            try {
                PipelineDraft draft = opened.own(draft());
                List<Device> found = opening.join();
                found.forEach(opened::own);
                DiffusionPipeline pipeline = new DiffusionPipeline(draft, found, this);
                draft.warnings().forEach(pipeline::warn);
                pipeline.queue.start();
                return pipeline;
            } catch (RuntimeException | Error failure) {
                if (opened.isEmpty()) {
                    opening.handle((devices, unopened) -> devices == null ? List.<Device>of() : devices).join()
                        .forEach(opened::own);
                }
                Throwable reason = failure instanceof CompletionException ? failure.getCause() : failure;
                opened.closeAfter(reason);
                if (reason instanceof Error error) {
                    throw error;
                }
                throw (RuntimeException) reason;
            }
        }

        /**
         * Reads the model and stops there: the pipeline on paper, for as many devices, which need not exist.
         *
         * @throws dev.slipstream.pipelines.model.ModelException if a part of a model is missing or malformed, or the
         *     refiner does not fit the model
         * @throws dev.slipstream.pipelines.graph.GraphException if a graph is damaged
         */
        public PipelineDraft draft() {
            if (devices.isEmpty()) {
                throw new IllegalArgumentException("a pipeline needs at least one device");
            }
            PipelineModel read = PipelineModel.read(ModelFolder.open(model), loras, precision);
            Optional<PipelineDraft> second = Optional.empty();
            try {
                second = refiner.map(folder -> readRefiner(folder, read));
                return new PipelineDraft(read, strategy, forms(), options, tiles,
                    second.map(from -> new NoiseSpan(0, handover)).orElse(NoiseSpan.WHOLE), second);
            } catch (RuntimeException | Error failure) {
                second.ifPresent(PipelineDraft::close);
                read.close();
                throw failure;
            }
        }

        private List<DeviceForm> forms() {
            return devices.stream().map(device -> DeviceForm.of(device, providers)).toList();
        }

        private PipelineDraft readRefiner(Path folder, PipelineModel base) {
            PipelineModel read = PipelineModel.read(ModelFolder.open(folder), precision).refining(base);
            try {
                return new PipelineDraft(read, strategy, forms(), options, tiles, new NoiseSpan(handover, 1),
                    Optional.empty());
            } catch (RuntimeException | Error failure) {
                read.close();
                throw failure;
            }
        }
    }

    public List<Device> devices() {
        return devices;
    }

    /** The pipeline on paper: what a request would run, and what is wrong with it. It is closed with the pipeline. */
    public PipelineDraft draft() {
        return draft;
    }

    /**
     * Queues a request that the model can draw, as far as that is known before the denoiser is cut and built; what
     * fails later, such as a device without room, fails the generation.
     *
     * @throws IllegalStateException if the pipeline is closed
     * @throws RuntimeException as {@link PipelineDraft#check}, if the request cannot be drawn
     */
    public Generation submit(ImageRequest request) {
        List<ResolvedRequest> resolved = resolve(request);
        PipelineDraft.warnings(resolved).forEach(this::warn);
        Generation generation = new Generation(callbacks, queue::remove);
        queue.add(generation, () -> draw(resolved, generation));
        return generation;
    }

    private List<ResolvedRequest> resolve(ImageRequest request) {
        queue.requireOpen();
        try {
            return draft.resolve(request);
        } catch (IllegalStateException closed) {
            // By another thread, just now.
            queue.requireOpen();
            throw closed;
        }
    }

    private void warn(String warning) {
        try {
            warned.accept(warning);
        } catch (RuntimeException failure) {
            LOG.warn("the listener to warnings failed; it was to hear: {}", warning, failure);
        }
    }

    private void draw(List<ResolvedRequest> request, Generation generation) {
        try {
            generation.complete(painter.paint(request, generation));
        } catch (Throwable failure) {
            generation.fail(failure);
        }
    }

    /**
     * Ends requests that wait with a {@link CancellationException}, waits for the one that runs, and frees all. Any
     * thread may call it, callbacks included, as often as it likes: each call returns when the pipeline is closed. Only
     * in a callback that the caller's executor runs on the pipeline's own thread it returns before that, as the
     * pipeline is closed when the request that runs has ended.
     *
     * @throws RuntimeException to the first who calls it, if something could not be freed; all else is
     */
    @Override
    public void close() {
        queue.close();
    }

    private void free() {
        List<AutoCloseable> all = new ArrayList<>(devices);
        all.add(draft);
        all.add(painter);
        Owned.closeAll(all);
    }
}
