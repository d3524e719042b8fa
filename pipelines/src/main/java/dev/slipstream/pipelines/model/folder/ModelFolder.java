package dev.slipstream.pipelines.model.folder;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.HubCache;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A model in the layout of diffusers, each component as a graph (as optimum exports them) or as a checkpoint:
 *
 * <pre>
 *     model_index.json                    which pipeline this is
 *     text_encoder/model.onnx             or config.json and safetensors; text_encoder_2/ for SDXL
 *     unet/model.onnx, config.json        or config.json and safetensors; or transformer/
 *     vae_decoder/model.onnx, config.json and vae_encoder/ for given pictures; or both in vae/ as a checkpoint
 *     scheduler/scheduler_config.json     and low_res_scheduler/ for upscalers
 *     tokenizer/                          and tokenizer_2/
 *     image_encoder/, feature_extractor/  for videos from a picture
 *     motion_adapter/                     for videos with a denoiser for pictures
 *     cuts.json                           optional: where the denoiser can be cut
 * </pre>
 *
 * <p>Some or all components may also lie elsewhere, in {@link Elsewhere one file} for example; the folder then has the
 * rest, if there is one. Opening needs nothing but the folder: a part is looked for when it is asked for, so a folder
 * with only a denoiser can be opened, too. Immutable; safe for any thread. Every method that reads throws {@link
 * ModelException}.
 */
public final class ModelFolder implements AutoCloseable {
    private static final String PICTURE_DENOISER = "UNet2DConditionModel";

    private final Path path;
    private final Path home;
    private final Elsewhere elsewhere;
    private final CheckpointChange change;
    private final Map<Component, Map<String, Integer>> words;
    private final Optional<MotionAdapter> motionAdapter;

    private ModelFolder(Path path, Path home, Elsewhere elsewhere, CheckpointChange change,
        Map<Component, Map<String, Integer>> words, Optional<MotionAdapter> motionAdapter) {
        this.path = path;
        this.home = home;
        this.elsewhere = elsewhere;
        this.change = change;
        this.words = words;
        this.motionAdapter = motionAdapter;
    }

    /** @throws ModelException if this is not a folder, or has no part of a model in it */
    public static ModelFolder open(Path path) {
        return open(path, Elsewhere.NOTHING);
    }

    /** @param elsewhere components that are not taken from the folder; closed with this, also if this fails */
    public static ModelFolder open(Path path, Elsewhere elsewhere) {
        Path whole = path.toAbsolutePath().normalize();
        ModelFolder folder = new ModelFolder(whole, whole, elsewhere, CheckpointChange.NONE, Map.of(),
            Optional.empty());
        try {
            folder.diagnosis().checkIsModel(InputFile.isThere(folder.index()) || folder.hasAnyComponent());
            return folder;
        } catch (RuntimeException e) {
            elsewhere.close();
            throw e;
        }
    }

    /** A model whose denoiser lies in a file. @param home has what the file lacks; the file if nothing has */
    public static ModelFolder ofFile(Path file, Path home, Elsewhere elsewhere) {
        return new ModelFolder(file.toAbsolutePath().normalize(), home.toAbsolutePath().normalize(), elsewhere,
            CheckpointChange.NONE, Map.of(), Optional.empty());
    }

    /** The same model, whose checkpoints are changed when they are opened. It is closed once, as this or as that. */
    public ModelFolder withChanges(CheckpointChange changes) {
        return new ModelFolder(path, home, elsewhere,
            (component, base) -> changes.of(component, change.of(component, base)), words, motionAdapter);
    }

    /** The same model with words that its text encoders know after the vocabulary, and how many vectors each has. */
    public ModelFolder withWords(Map<Component, Map<String, Integer>> added) {
        return new ModelFolder(path, home, elsewhere, change, added, motionAdapter);
    }

    /** The same model with a motion adapter that does not lie in it. */
    public ModelFolder withMotionAdapter(MotionAdapter adapter) {
        return new ModelFolder(path, home, elsewhere, change, words, Optional.of(adapter));
    }

    /**
     * The motion adapter that the denoiser is joined with: the one that was given, else that of the folder, unless the
     * denoiser has motion of its own, as models are saved.
     */
    public Optional<MotionAdapter> motionAdapter() {
        boolean moves = config(Component.DENOISER).flatMap(config -> config.text("_class_name"))
            .filter(name -> !name.equals(PICTURE_DENOISER)).isPresent();
        if (moves && motionAdapter.isPresent()) {
            throw new ModelException(this + ": a motion adapter is for U-Nets that draw pictures, such as those of "
                + "Stable Diffusion 1.5; leave it out here");
        }
        return motionAdapter.or(() -> Optional.of(folder(Component.MOTION_ADAPTER))
            .filter(adapter -> !moves && InputFile.isThere(ComponentFile.CONFIG.in(adapter))).map(MotionAdapter::in));
    }

    /** How pictures are normalised for what reads them; empty if nothing says it. */
    public Optional<ConfigFile> pictureSettings() {
        return optional(home.resolve("feature_extractor").resolve("preprocessor_config.json"));
    }

    /** Words that a text encoder knows beside its vocabulary, with how many vectors each has. */
    public Map<String, Integer> words(Component encoder) {
        return words.getOrDefault(encoder, Map.of());
    }

    /** Gives back what {@link Elsewhere} keeps, and the motion adapter that was given. */
    @Override
    public void close() {
        elsewhere.close();
        motionAdapter.ifPresent(MotionAdapter::close);
    }

    private boolean hasAnyComponent() {
        return Arrays.stream(Component.values())
            .anyMatch(component -> component.folders().stream().map(home::resolve).anyMatch(Files::isDirectory));
    }

    private Diagnosis diagnosis() {
        return new Diagnosis(home);
    }

    private Path index() {
        return ModelFile.INDEX.in(home);
    }

    /** The folder, or the file that has the denoiser. */
    public Path path() {
        return path;
    }

    /** The folder in which all that does not lie elsewhere is looked for; a file if there is none. */
    public Path home() {
        return home;
    }

    /** What to call the model: the hub's name for a snapshot of its cache, else the own name of folder or file. */
    public String name() {
        return HubCache.model(path).orElseGet(() ->
            path.getFileName() == null ? path.toString() : path.getFileName().toString());
    }

    /** diffusers' class of the pipeline, such as {@code StableDiffusionXLPipeline}; empty without model_index.json. */
    public Optional<String> pipelineClass() {
        return settings().flatMap(settings -> settings.text("_class_name"));
    }

    /** The settings of the pipeline: {@code model_index.json}; empty without it. */
    public Optional<ConfigFile> settings() {
        return optional(index()).or(elsewhere::settings);
    }

    /** Whether the component is there, as a graph or as a checkpoint. */
    public boolean has(Component component) {
        Path folder = folder(component);
        return elsewhere.has(component) || InputFile.isThere(ComponentFile.GRAPH.in(folder))
            || ComponentWeights.isIn(folder);
    }

    /** What does not lie in the folder. */
    public Elsewhere elsewhere() {
        return elsewhere;
    }

    /** The form in which a component is there; that of a graph if it is not. */
    public ComponentFormat format(Component component) {
        return elsewhere.has(component) ? ComponentFormat.CHECKPOINT : ComponentFormat.of(folder(component));
    }

    /**
     * The component's ONNX file, checked just enough to report a file that cannot be one.
     *
     * @throws ModelException if it is missing, empty or a Git LFS pointer, or the weights are in another format
     */
    public Path require(Component component) {
        requireHome(component.folders().getFirst() + "/");
        Path folder = folder(component);
        diagnosis().checkComponent(component, folder);
        return ComponentFile.GRAPH.in(folder);
    }

    /** The folder of a component: the one that exists, else the one where it should be. */
    public Path folder(Component component) {
        return component.folders().stream().map(home::resolve).filter(Files::isDirectory).findFirst()
            .orElse(home.resolve(component.folders().getFirst()));
    }

    /**
     * The component's weights; for a denoiser those of its motion adapter, too.
     *
     * @throws ModelException also if it has no safetensors
     */
    public Checkpoint checkpoint(Component component) {
        Checkpoint own = elsewhere.has(component) ? elsewhere.checkpoint(component)
            : Checkpoint.open(folder(component));
        return change.of(component, component != Component.DENOISER ? own : motionAdapter()
            .map(adapter -> adapter.checkpoint().with(own)).orElse(own));
    }

    /** The component's {@code config.json}; empty if it has none. */
    public Optional<ConfigFile> config(Component component) {
        Optional<ConfigFile> own = optional(ComponentFile.CONFIG.in(folder(component)));
        return own.isPresent() || !elsewhere.has(component) ? own : elsewhere.config(component);
    }

    /** The same. @throws ModelException also if it has none */
    public ConfigFile requireConfig(Component component) {
        return config(component).orElseGet(() -> {
            if (elsewhere.has(component)) {
                throw elsewhere.missing(component.folders().getFirst() + "/config.json");
            }
            return ConfigFile.read(ComponentFile.CONFIG.in(folder(component)));
        });
    }

    /** @throws ModelException also if the denoiser has no {@code config.json} */
    public DenoiserConfig denoiserConfig() {
        return denoiserConfig(OptionalInt.empty());
    }

    /** @param usualSide of the latents that it was trained on, where the file does not say it */
    public DenoiserConfig denoiserConfig(OptionalInt usualSide) {
        return DenoiserConfig.of(requireConfig(Component.DENOISER), usualSide);
    }

    /**
     * From {@code vae_decoder/config.json}, or {@code vae/config.json}; if there is neither, the values of Stable
     * Diffusion 1.
     */
    public DecoderConfig decoderConfig() {
        return config(Component.VAE_DECODER).or(() -> optional(ComponentFile.CONFIG.in(home.resolve("vae"))))
            .map(DecoderConfig::of).orElse(DecoderConfig.STABLE_DIFFUSION);
    }

    /** The model's own noise scheduler, or that of the motion adapter that was given. */
    public ConfigFile noiseScheduler() {
        return motionAdapter.map(adapter -> adapter.noiseScheduler(ownNoiseScheduler()))
            .orElseGet(this::ownNoiseScheduler);
    }

    private ConfigFile ownNoiseScheduler() {
        Path file = ModelFile.NOISE_SCHEDULER.in(home);
        return optional(file).or(elsewhere::noiseScheduler).orElseGet(() -> {
            requireHome("scheduler/scheduler_config.json");
            return ConfigFile.read(file);
        });
    }

    /** How an upscaler blurs the picture that it enlarges with noise. */
    public ConfigFile lowResolutionNoise() {
        return ConfigFile.read(ModelFile.LOW_RESOLUTION_NOISE.in(home));
    }

    /** The noise scheduler in {@code scheduler-NAME/}, a form that folders of reference cases have. */
    public ConfigFile noiseScheduler(String name) {
        return ConfigFile.read(home.resolve("scheduler-" + name).resolve("scheduler_config.json"));
    }

    /** The folder {@code tokenizer/}. */
    public Path tokenizer() {
        requireHome("tokenizer/");
        return diagnosis().checkFolder(home.resolve("tokenizer"), "a tokenizer");
    }

    /** Where a file has no folder beside it, nothing else can be found. */
    private void requireHome(String what) {
        if (!home.equals(path) || Files.isDirectory(home)) {
            return;
        }
        throw elsewhere.missing(what);
    }

    /**
     * The folder of a text encoder's tokenizer: one of its own, numbered like it, else that of the first, but for T5,
     * whose ids are others than CLIP's.
     */
    public Path tokenizer(Component encoder) {
        String own = encoder.folders().getFirst().replace("text_encoder", "tokenizer");
        if (isT5(encoder)) {
            requireHome(own + "/");
            return diagnosis().checkFolder(home.resolve(own), "a tokenizer");
        }
        return Optional.of(home.resolve(own)).filter(Files::isDirectory).orElseGet(this::tokenizer);
    }

    private boolean isT5(Component encoder) {
        return config(encoder).flatMap(config -> config.text("model_type")).filter("t5"::equals).isPresent();
    }

    /** The text encoder that is a T5, if one is. */
    public Optional<Component> t5() {
        return Stream.of(Component.TEXT_ENCODER, Component.TEXT_ENCODER_2, Component.TEXT_ENCODER_3)
            .filter(this::isT5).findFirst();
    }

    /** {@code cuts.json}: where the denoiser can be cut. */
    public Optional<ConfigFile> cuts() {
        return optional(ModelFile.CUTS.in(home));
    }

    private static Optional<ConfigFile> optional(Path file) {
        return InputFile.isThere(file) ? Optional.of(ConfigFile.read(file)) : Optional.empty();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
