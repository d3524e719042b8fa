package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.calibration.Calibration;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.Partitioner;
import dev.slipstream.pipelines.diffusion.image.Tiles;
import dev.slipstream.pipelines.diffusion.planning.BestPlans;
import dev.slipstream.pipelines.diffusion.planning.KeptChoices;
import dev.slipstream.pipelines.diffusion.planning.LoopPlans;
import dev.slipstream.pipelines.diffusion.planning.PipelineSite;
import dev.slipstream.pipelines.diffusion.planning.Preference;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.embedding.Embedding;
import dev.slipstream.pipelines.model.embedding.Embeddings;
import dev.slipstream.pipelines.model.lora.Lora;
import dev.slipstream.pipelines.model.lora.Loras;
import dev.slipstream.pipelines.model.original.ModelSource;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.TensorObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a pipeline on paper is made of: the models that draw and how they are read, devices and a plan, and how loops
 * run. A {@link DiffusionPipeline.Builder} is one, with what an open pipeline needs beside. One thread at a time may
 * use it.
 *
 * @param <B> the builder, which each setting returns
 */
public abstract class PipelineSettings<B> {
    private static final double USUAL_HANDOVER = 0.8;
    private static final int USUAL_DEVICES = 2;
    ModelSource model;
    Optional<List<DeviceSpec>> devices = Optional.empty();
    private Optional<Strategy> strategy = Optional.empty();
    private boolean chosen;
    private Optional<Preference> preference = Optional.empty();
    Precision precision = Precision.FP32;
    Devices providers = Devices.discover();
    LoopOptions options = LoopOptions.DEFAULT;
    Loras loras = Loras.NONE;
    Embeddings embeddings = Embeddings.NONE;
    final List<Path> controls = new ArrayList<>();
    Optional<LayerGuidance> layers = Optional.empty();
    Tiles tiles = new Tiles.Whole();
    Optional<Path> previewDecoder = Optional.empty();
    Optional<Path> refiner = Optional.empty();
    double handover = USUAL_HANDOVER;

    PipelineSettings(Path model) {
        this.model = ModelSource.of(Objects.requireNonNull(model, "model"));
    }

    /** The builder. */
    abstract B self();

    /** For a model in one file: a folder whose configurations count, and that has what the file lacks. */
    public B config(Path folder) {
        model = model.withConfig(Objects.requireNonNull(folder, "folder"));
        return self();
    }

    /** A file with the autoencoder that is taken instead of the model's own. */
    public B vae(Path file) {
        model = model.withVae(Objects.requireNonNull(file, "file"));
        return self();
    }

    /**
     * The devices, in the plan's order, as {@link DeviceSpec#parse} reads them. If not said, CPU threads.
     * @throws IllegalArgumentException if there are none, or one cannot be read
     */
    public B devices(String... specs) {
        return devices(Stream.of(specs).map(DeviceSpec::parse).toArray(DeviceSpec[]::new));
    }

    /** The devices, in the plan's order. @throws IllegalArgumentException if there are none */
    public B devices(DeviceSpec... specs) {
        if (specs.length == 0) {
            throw new IllegalArgumentException("a pipeline needs at least one device");
        }
        devices = Optional.of(List.of(specs));
        return self();
    }

    /**
     * The plan, as {@link Strategy#parse} reads it, or {@code auto}: for each request the one that is predicted to be
     * the fastest of those that {@link #prefer} allows, and never one that is predicted slower than one device. If not
     * said, {@code auto} on several devices, or if no devices are said on a machine with several processors; else
     * {@code sequential}.
     * @throws dev.slipstream.pipelines.plan.PlanException if there is no such plan
     */
    public B plan(String spec) {
        chosen = spec.strip().equals("auto");
        strategy = chosen ? Optional.empty() : Optional.of(Strategy.parse(spec));
        return self();
    }

    /**
     * What {@code auto} may give up for speed: {@code exact} for nothing, {@code balanced} for pictures that one has to
     * compare to see a difference, {@code fast} for pictures of the same kind; {@code balanced} if not said. Without a
     * plan it means {@code auto}; another plan is what it is.
     * @throws IllegalArgumentException if it is none of these
     */
    public B prefer(String wish) {
        preference = Optional.of(Preference.parse(Objects.requireNonNull(wish, "wish")));
        return self();
    }

    /** The plan by its type and settings, else like {@link #plan(String)}. */
    public B plan(Strategy wanted) {
        chosen = false;
        strategy = Optional.of(wanted);
        return self();
    }

    /**
     * The precision of the denoiser; {@code fp32} if not said. All else, and what is sensitive inside, stays fp32.
     * @throws IllegalArgumentException if it is not {@code fp32}, {@code fp16} or {@code bf16}
     */
    public B precision(String name) {
        precision = Precision.parse(name);
        return self();
    }

    /** Like {@link #precision(String)}. @throws IllegalArgumentException for types in which no denoiser computes */
    public B precision(DataType type) {
        precision = Precision.of(Objects.requireNonNull(type, "type"));
        return self();
    }

    /** How long a denoising step may take before its request fails and gives devices up: 10 minutes if not said. */
    public B patience(Duration longest) {
        options = options.withPatience(longest);
        return self();
    }

    /** Whether requests fail whose segments make NaN or infinite values, and name the first. Not if not said. */
    public B guarded(boolean guarded) {
        options = options.withGuards(guarded);
        return self();
    }

    /** Whether devices that can record what recurs from step to step replay it in one call. They do if not said. */
    public B replayed(boolean replayed) {
        options = options.withReplay(replayed);
        return self();
    }

    /** For tools that come with Slipstream: who looks at tensors between segments. Its type is no API. */
    public B observed(Object observer) {
        options = options.withObserver((TensorObserver) observer);
        return self();
    }

    /** In what pieces the autoencoder works; it takes pictures whole if not said, which is exact. */
    public B tiles(Tiles wanted) {
        tiles = Objects.requireNonNull(wanted, "tiles");
        return self();
    }

    /** The same, as {@link Tiles#parse} reads it. */
    public B tiles(String wanted) {
        return tiles(Tiles.parse(wanted));
    }

    /**
     * Merges a LoRA into the model's weights, after those of earlier calls.
     * @param file safetensors, or the folder of an adapter as PEFT or diffusers save it
     * @param weight 1 as it was trained
     */
    public B lora(Path file, double weight) {
        loras = loras.and(Lora.readAll(file), weight);
        return self();
    }

    /** Whether what later LoRAs have for layers that the model lacks is left out instead of refused. */
    public B ignoreUnknownLoraLayers(boolean ignored) {
        loras = loras.ignoringUnknown(ignored);
        return self();
    }

    /** Adds a word of textual inversion. @param word that it has in prompts; empty for the file's own */
    public B embedding(Path file, String word) {
        embeddings = embeddings.and(Embedding.read(file, Optional.of(word).filter(it -> !it.isBlank())));
        return self();
    }

    /**
     * Adds a ControlNet (Zhang et al. 2023), which steers pictures by others that requests bring ({@link
     * ControlImage}), after those in the model's own folder. It is part of the denoiser; a refiner has none.
     * @param folder with config.json and safetensors, or model.onnx
     */
    public B controlNet(Path folder) {
        controls.add(Objects.requireNonNull(folder, "folder"));
        return self();
    }

    /** Skips layers at some steps, so that they count for more. Stable Diffusion 3 and 3.5 alone can. */
    public B layerGuidance(LayerGuidance skipped) {
        layers = Optional.of(skipped);
        return self();
    }

    /** A checkpoint of diffusers' AutoencoderTiny (TAESD), which decodes previews in a small part of the time. */
    public B previewDecoder(Path folder) {
        previewDecoder = Optional.of(folder);
        return self();
    }

    /** A motion adapter (AnimateDiff), a folder or file, with which a Stable Diffusion 1.5 makes videos. */
    public B motionAdapter(Path adapter) {
        model = model.withMotionAdapter(Objects.requireNonNull(adapter, "adapter"));
        return self();
    }

    /** {@link #refiner(Path, double)} after 0.8 of the way, as SDXL's is meant to. */
    public B refiner(Path folder) {
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
    public B refiner(Path folder, double share) {
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException("a refiner takes over between 0 and 1 of the way, not at " + share);
        }
        refiner = Optional.of(folder);
        handover = share;
        return self();
    }

    /** Where devices come from, if not from all providers that are present. */
    public B providers(Devices from) {
        providers = Objects.requireNonNull(from, "providers");
        return self();
    }

    /** Which plans the loops of a model have on the devices. */
    LoopPlans plans(LoadedModel model) {
        List<DeviceSpec> used = usedDevices();
        Optional<Strategy> given = given();
        if (given.isEmpty()) {
            return new BestPlans(model.denoiser(), model.folder().path(), preference.orElse(Preference.BALANCED),
                used.size(), print -> PipelineSite.of(used, providers, precision, model.folder().path(), print),
                KeptChoices.ofUser());
        }
        return new LoopPlans.Given(new Partitioner(model.denoiser(),
            Calibration.applied(given.get(), model.folder().path(), model.denoiser()), used.size()));
    }

    /** The plan that is said, or fits one device; empty if the best is to be chosen. */
    private Optional<Strategy> given() {
        boolean several = devices.map(List::size).orElse(Runtime.getRuntime().availableProcessors()) > 1;
        return strategy.isPresent() || chosen || preference.isPresent() || several ? strategy
            : Optional.of(new Sequential());
    }

    List<DeviceSpec> usedDevices() {
        return devices.orElseGet(() -> Collections.nCopies(given().map(Strategy::usualDevices)
            .orElse(Math.min(USUAL_DEVICES, Runtime.getRuntime().availableProcessors())), DeviceSpec.HOST));
    }
}
