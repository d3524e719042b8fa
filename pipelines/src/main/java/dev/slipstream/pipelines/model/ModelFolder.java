package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.HubCache;
import dev.slipstream.pipelines.model.inventory.Inventory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;

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
 *     cuts.json                           optional: where the denoiser can be cut
 * </pre>
 *
 * <p>Nothing but the folder is needed to open it: a part is looked for when it is asked for, so a folder with only a
 * denoiser serves those who need no more. Immutable, keeps no file open; safe for any thread. Every method that reads
 * throws {@link ModelException}.
 */
public final class ModelFolder {
    private final Path path;
    private final CheckpointSource checkpoints;

    private ModelFolder(Path path, CheckpointSource checkpoints) {
        this.path = path;
        this.checkpoints = checkpoints;
    }

    /** @throws ModelException if this is no folder, or holds nothing of a model */
    public static ModelFolder open(Path path) {
        ModelFolder folder = new ModelFolder(path.toAbsolutePath().normalize(), CheckpointSource.PLAIN);
        folder.diagnosis().checkIsModel(InputFile.isThere(folder.index()) || folder.hasAnyComponent());
        return folder;
    }

    /** The same folder, whose checkpoints are opened in another way. */
    public ModelFolder withCheckpoints(CheckpointSource source) {
        return new ModelFolder(path, source);
    }

    private boolean hasAnyComponent() {
        return Arrays.stream(Component.values())
            .anyMatch(component -> component.folders().stream().map(path::resolve).anyMatch(Files::isDirectory));
    }

    private FolderDiagnosis diagnosis() {
        return new FolderDiagnosis(path);
    }

    private Path index() {
        return ModelFile.INDEX.in(path);
    }

    public Path path() {
        return path;
    }

    /** What to call the model: the hub's name for a snapshot of its cache, else the folder's own name. */
    public String name() {
        return HubCache.model(path).orElseGet(() ->
            path.getFileName() == null ? path.toString() : path.getFileName().toString());
    }

    /** diffusers' class of the pipeline, such as {@code StableDiffusionXLPipeline}; empty without model_index.json. */
    public Optional<String> pipelineClass() {
        return InputFile.isThere(index()) ? ConfigFile.read(index()).text("_class_name") : Optional.empty();
    }

    /** The settings of the pipeline: {@code model_index.json}; empty without it. */
    public Optional<ConfigFile> settings() {
        return optional(index());
    }

    /** Whether the component is there, as a graph or as a checkpoint. */
    public boolean has(Component component) {
        Path folder = folder(component);
        return InputFile.isThere(ComponentFile.GRAPH.in(folder)) || ComponentWeights.isIn(folder);
    }

    /**
     * The component's ONNX file, looked at closely enough to say what is wrong where it cannot be one.
     *
     * @throws ModelException if it is missing, empty or a Git LFS pointer, or the weights are in another format
     */
    public Path require(Component component) {
        Path folder = folder(component);
        diagnosis().checkComponent(component, folder);
        return ComponentFile.GRAPH.in(folder);
    }

    /** The folder of a component: the one that exists, else the one where it should be. */
    public Path folder(Component component) {
        return component.folders().stream().map(path::resolve).filter(Files::isDirectory).findFirst()
            .orElse(path.resolve(component.folders().getFirst()));
    }

    /** The component's weights. @throws ModelException also if it has no safetensors */
    public Checkpoint checkpoint(Component component) {
        return checkpoints.open(component, folder(component));
    }

    /** The component's {@code config.json}; empty if it has none. */
    public Optional<ConfigFile> config(Component component) {
        return optional(ComponentFile.CONFIG.in(folder(component)));
    }

    /** @throws ModelException also if the denoiser has no {@code config.json} */
    public DenoiserConfig denoiserConfig() {
        return DenoiserConfig.of(ConfigFile.read(ComponentFile.CONFIG.in(folder(Component.DENOISER))));
    }

    /** From {@code vae_decoder/config.json}, or {@code vae/config.json}; if there is neither, as Stable Diffusion 1. */
    public DecoderConfig decoderConfig() {
        return config(Component.VAE_DECODER).or(() -> optional(ComponentFile.CONFIG.in(path.resolve("vae"))))
            .map(DecoderConfig::of).orElse(DecoderConfig.STABLE_DIFFUSION);
    }

    /** The model's own noise scheduler. */
    public ConfigFile noiseScheduler() {
        return ConfigFile.read(ModelFile.NOISE_SCHEDULER.in(path));
    }

    /** How an upscaler blurs the picture that it enlarges with noise. */
    public ConfigFile lowResolutionNoise() {
        return ConfigFile.read(ModelFile.LOW_RESOLUTION_NOISE.in(path));
    }

    /** The noise scheduler in {@code scheduler-NAME/}, a form that folders of reference cases have. */
    public ConfigFile noiseScheduler(String name) {
        return ConfigFile.read(path.resolve("scheduler-" + name).resolve("scheduler_config.json"));
    }

    /** The folder {@code tokenizer/}. */
    public Path tokenizer() {
        return diagnosis().checkFolder(path.resolve("tokenizer"), "a tokenizer");
    }

    /** The folder of SDXL's second tokenizer; empty if the model has none. */
    public Optional<Path> tokenizer2() {
        return Optional.of(path.resolve("tokenizer_2")).filter(Files::isDirectory);
    }

    /** {@code cuts.json}: where the denoiser can be cut. */
    public Optional<ConfigFile> cuts() {
        return optional(ModelFile.CUTS.in(path));
    }

    /** Every file of the folder, and what it is to those who read a model. */
    public Inventory inventory() {
        return inventory(Set.of());
    }

    /** @param weights files that the component's graphs refer to, which may have any name */
    public Inventory inventory(Set<Path> weights) {
        return new ModelInventory(this, weights).take();
    }

    private static Optional<ConfigFile> optional(Path file) {
        return InputFile.isThere(file) ? Optional.of(ConfigFile.read(file)) : Optional.empty();
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
