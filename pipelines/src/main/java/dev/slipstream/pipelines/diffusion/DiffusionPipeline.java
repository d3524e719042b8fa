package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.component.EngineCache;
import dev.slipstream.pipelines.diffusion.denoise.DeviceForm;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.embedding.Embedding;
import dev.slipstream.pipelines.model.embedding.Embeddings;
import dev.slipstream.pipelines.model.lora.Lora;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.TensorObserver;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Stream;
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
    private final RequestRunner runner;
    private final Consumer<String> warned;
    private final Callbacks callbacks;

    private DiffusionPipeline(PipelineSpec spec, List<Device> devices, Builder settings) {
        this.devices = devices;
        this.spec = spec;
        this.runner = new RequestRunner(devices, new EngineCache(devices, spec.options(), settings.engineMemory),
            List.of(spec), settings.timelines);
        this.warned = Callbacks.tolerant("warnings", settings.warned);
        this.callbacks = settings.callbacks.map(Callbacks::on).orElseGet(Callbacks::onOwnThreads);
        spec.warnings().forEach(warned);
        runner.start();
    }

    /** Starts to describe a pipeline. @param model a folder in the layout of diffusers, or a checkpoint in one file */
    public static Builder of(Path model) {
        return new Builder(model);
    }

    /** What to open: a model, devices and a plan. One thread at a time may use it; it may open several pipelines. */
    public static final class Builder {
        private static final double USUAL_HANDOVER = 0.8;
        private ModelSource model;
        private Optional<List<DeviceSpec>> devices = Optional.empty();
        private Optional<Strategy> strategy = Optional.empty();
        private Precision precision = Precision.FP32;
        private Devices providers = Devices.discover();
        private LoopOptions options = LoopOptions.DEFAULT;
        private Loras loras = Loras.NONE;
        private Embeddings embeddings = Embeddings.NONE;
        private final List<Path> controls = new ArrayList<>();
        private Optional<LayerGuidance> layers = Optional.empty();
        private Tiles tiles = new Tiles.Whole();
        private Optional<Path> previewDecoder = Optional.empty();
        private Optional<Path> refiner = Optional.empty();
        private double handover = USUAL_HANDOVER;
        private Optional<Executor> callbacks = Optional.empty();
        private OptionalLong engineMemory = OptionalLong.empty();
        private Optional<Consumer<Timeline>> timelines = Optional.empty();
        private Consumer<String> warned = warning -> LOG.warn("{}", warning);

        private Builder(Path model) {
            this.model = ModelSource.of(Objects.requireNonNull(model, "model"));
        }

        /** For a model in one file: a folder whose configurations count, and that has what the file lacks. */
        public Builder config(Path folder) {
            model = model.withConfig(Objects.requireNonNull(folder, "folder"));
            return this;
        }

        /** A file with the autoencoder that is taken instead of the model's own. */
        public Builder vae(Path file) {
            model = model.withVae(Objects.requireNonNull(file, "file"));
            return this;
        }

        /**
         * The devices, in the plan's order, as {@link DeviceSpec#parse} reads them. If not said, CPU threads.
         * @throws IllegalArgumentException if there are none, or one cannot be read
         */
        public Builder devices(String... specs) {
            return devices(Stream.of(specs).map(DeviceSpec::parse).toArray(DeviceSpec[]::new));
        }

        /** The devices, in the plan's order. @throws IllegalArgumentException if there are none */
        public Builder devices(DeviceSpec... specs) {
            if (specs.length == 0) {
                throw new IllegalArgumentException("a pipeline needs at least one device");
            }
            devices = Optional.of(List.of(specs));
            return this;
        }

        /**
         * The plan, as {@link Strategy#parse} reads it. If not said, {@code asyncdiff:warmup=3} on several devices, or
         * if no devices are said on a machine with several processors; else {@code sequential}.
         * @throws dev.slipstream.pipelines.plan.PlanException if there is no such plan
         */
        public Builder plan(String spec) {
            return plan(Strategy.parse(spec));
        }

        /** The plan by its type and settings, else like {@link #plan(String)}. */
        public Builder plan(Strategy wanted) {
            strategy = Optional.of(wanted);
            return this;
        }

        /**
         * The precision of the denoiser; {@code fp32} if not said. All else, and what is sensitive inside, stays fp32.
         * @throws IllegalArgumentException if it is not {@code fp32}, {@code fp16} or {@code bf16}
         */
        public Builder precision(String name) {
            precision = Precision.parse(name);
            return this;
        }

        /** Like {@link #precision(String)}. @throws IllegalArgumentException for types in which no denoiser computes */
        public Builder precision(DataType type) {
            precision = Precision.of(Objects.requireNonNull(type, "type"));
            return this;
        }

        /** How long a denoising step may take before its request fails and gives devices up: 10 minutes if not said. */
        public Builder patience(Duration longest) {
            options = options.withPatience(longest);
            return this;
        }

        /** Whether requests fail whose segments make NaN or infinite values, and name the first. Not if not said. */
        public Builder guarded(boolean guarded) {
            options = options.withGuards(guarded);
            return this;
        }

        /** Whether devices that can record what recurs from step to step replay it in one call. They do if not said. */
        public Builder replayed(boolean replayed) {
            options = options.withReplay(replayed);
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

        /** For tools that come with Slipstream: who looks at tensors between segments. Its type is no API. */
        public Builder observed(Object observer) {
            options = options.withObserver((TensorObserver) observer);
            return this;
        }

        /** In what pieces the autoencoder works; it takes pictures whole if not said, which is exact. */
        public Builder tiles(Tiles wanted) {
            tiles = Objects.requireNonNull(wanted, "tiles");
            return this;
        }

        /** The same, as {@link Tiles#parse} reads it. */
        public Builder tiles(String wanted) {
            return tiles(Tiles.parse(wanted));
        }

        /**
         * Merges a LoRA into the model's weights, after those of earlier calls.
         * @param file safetensors, or the folder of an adapter as PEFT or diffusers save it
         * @param weight 1 as it was trained
         */
        public Builder lora(Path file, double weight) {
            loras = loras.and(Lora.readAll(file), weight);
            return this;
        }

        /** Whether what later LoRAs have for layers that the model lacks is left out instead of refused. */
        public Builder ignoreUnknownLoraLayers(boolean ignored) {
            loras = loras.ignoringUnknown(ignored);
            return this;
        }

        /** Adds a word of textual inversion. @param word that it has in prompts; empty for the file's own */
        public Builder embedding(Path file, String word) {
            embeddings = embeddings.and(Embedding.read(file, Optional.of(word).filter(it -> !it.isBlank())));
            return this;
        }

        /**
         * Adds a ControlNet (Zhang et al. 2023), which steers pictures by others that requests bring ({@link
         * ControlImage}), after those in the model's own folder. It is part of the denoiser; a refiner has none.
         * @param folder with config.json and safetensors, or model.onnx
         */
        public Builder controlNet(Path folder) {
            controls.add(Objects.requireNonNull(folder, "folder"));
            return this;
        }

        /** Skips layers at some steps, so that they count for more. Stable Diffusion 3 and 3.5 alone can. */
        public Builder layerGuidance(LayerGuidance skipped) {
            layers = Optional.of(skipped);
            return this;
        }

        /** A checkpoint of diffusers' AutoencoderTiny (TAESD), which decodes previews in a small part of the time. */
        public Builder previewDecoder(Path folder) {
            previewDecoder = Optional.of(folder);
            return this;
        }

        /** A motion adapter (AnimateDiff), a folder or file, with which a Stable Diffusion 1.5 makes videos. */
        public Builder motionAdapter(Path adapter) {
            model = model.withMotionAdapter(Objects.requireNonNull(adapter, "adapter"));
            return this;
        }

        /** {@link #refiner(Path, double)} after 0.8 of the way, as SDXL's is meant to. */
        public Builder refiner(Path folder) {
            return refiner(folder, USUAL_HANDOVER);
        }

        /**
         * A second model that takes the last steps of each picture and decodes it (Podell et al. 2023, section 2.5):
         * SDXL's refiner, or any other model that draws from a text and has latents of the same kind. It has its own
         * noise scheduler unless the request names one, and the same request, plan, devices and precision; warm-up and
         * tail count in each model's steps. LoRAs change the first alone, which takes pictures in; masks are refused.
         *
         * @param share of the way from noise to picture after which it takes over, more than 0 and less than 1
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
         * Who is told, one sentence a call, which files of a model are not read though they may say something, on the
         * thread that opens, and of requests {@link PipelineSpec#warnings(ImageRequest)}, on the one that submits.
         */
        public Builder warnings(Consumer<String> listener) {
            warned = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /** Where devices come from, if not from all providers that are present. */
        public Builder providers(Devices from) {
            providers = Objects.requireNonNull(from, "providers");
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
            return PipelineSpec.open(() -> providers.open(usedDevices()), this::spec,
                (spec, found) -> new DiffusionPipeline(spec, found, this));
        }

        /** The pipeline on paper, for devices that need not exist. @throws RuntimeException as {@link #open} */
        public PipelineSpec spec() {
            List<DeviceForm> forms = usedDevices().stream().map(device -> DeviceForm.of(device, providers)).toList();
            return new PipelineSpec.Models(model, loras, embeddings, List.copyOf(controls), layers, precision, tiles,
                previewDecoder, refiner, handover).spec(usedStrategy(), forms, options);
        }

        private Strategy usedStrategy() {
            return strategy.orElseGet(() -> Strategy.usual(devices.map(List::size)
                .orElse(Runtime.getRuntime().availableProcessors())));
        }

        private List<DeviceSpec> usedDevices() {
            return devices.orElseGet(() -> Collections.nCopies(usedStrategy().usualDevices(), DeviceSpec.HOST));
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
        Generation generation = new Generation(callbacks, it -> runner.remove(it.running()));
        ImageRequest whole = seeded.withUsual(resolved.getFirst().usual());
        runner.add(generation.running(), resolved, (images, how) -> GeneratedImage.all(images, whole, how));
        return generation;
    }

    /** Queues a request for a video; in all else like {@link #submit(ImageRequest)}. */
    public VideoGeneration submit(VideoRequest request) {
        VideoRequest seeded = request.withSeed(request.seed().orElseGet(ImageRequest::randomSeed));
        List<ResolvedRequest> resolved = resolve(seeded.drawing());
        VideoRequest whole = seeded.withUsual(resolved.getFirst().usual())
            .withFramesPerSecond(resolved.getFirst().filming().orElseThrow().framesPerSecond());
        VideoGeneration generation = new VideoGeneration(callbacks, it -> runner.remove(it.running()));
        runner.add(generation.running(), resolved, (frames, how) ->
            new GeneratedVideo(frames, whole.withFrames(frames.size()), how));
        return generation;
    }

    private List<ResolvedRequest> resolve(RequestCore.Drawing request) {
        List<ResolvedRequest> resolved = runner.whileOpen(() -> spec.resolve(request));
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
        runner.close();
    }
}
