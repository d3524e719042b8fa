package dev.slipstream.pipelines.model.folder;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import dev.slipstream.pipelines.file.HubCache;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.DecoderConfig;
import dev.slipstream.pipelines.model.config.DenoiserConfig;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.weights.Checkpoint;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.Pickle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
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
 *     cuts.json                           optional: where the denoiser can be cut
 * </pre>
 *
 * <p>Some or all components may also lie elsewhere, in {@link Elsewhere one file} for example; the folder then has the
 * rest, if there is one. Opening needs nothing but the folder: a part is looked for when it is asked for, so a folder
 * with only a denoiser can be opened, too. Immutable; safe for any thread. Every method that reads throws {@link
 * ModelException}.
 */
public final class ModelFolder implements AutoCloseable {
    private final Path path;
    private final Path home;
    private final Elsewhere elsewhere;
    private final CheckpointChange change;
    private final Map<Component, Map<String, Integer>> words;

    private ModelFolder(Path path, Path home, Elsewhere elsewhere, CheckpointChange change,
        Map<Component, Map<String, Integer>> words) {
        this.path = path;
        this.home = home;
        this.elsewhere = elsewhere;
        this.change = change;
        this.words = words;
    }

    /** @throws ModelException if this is not a folder, or has no part of a model in it */
    public static ModelFolder open(Path path) {
        return open(path, Elsewhere.NOTHING);
    }

    /** @param elsewhere components that are not taken from the folder; closed with this, also if this fails */
    public static ModelFolder open(Path path, Elsewhere elsewhere) {
        Path whole = path.toAbsolutePath().normalize();
        ModelFolder folder = new ModelFolder(whole, whole, elsewhere, CheckpointChange.NONE, Map.of());
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
            CheckpointChange.NONE, Map.of());
    }

    /** The same model, whose checkpoints are changed when they are opened. It is closed once, as this or as that. */
    public ModelFolder withChanges(CheckpointChange changes) {
        return new ModelFolder(path, home, elsewhere,
            (component, base) -> changes.of(component, change.of(component, base)), words);
    }

    /** The same model with words that its text encoders know after the vocabulary, and how many vectors each has. */
    public ModelFolder withWords(Map<Component, Map<String, Integer>> added) {
        return new ModelFolder(path, home, elsewhere, change, added);
    }

    /** Words that a text encoder knows beside its vocabulary, with how many vectors each has. */
    public Map<String, Integer> words(Component encoder) {
        return words.getOrDefault(encoder, Map.of());
    }

    /** Gives back what {@link Elsewhere} keeps. */
    @Override
    public void close() {
        elsewhere.close();
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

    /** The component's weights. @throws ModelException also if it has no safetensors */
    public Checkpoint checkpoint(Component component) {
        return change.of(component, elsewhere.has(component) ? elsewhere.checkpoint(component)
            : Checkpoint.open(folder(component)));
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

    /** The model's own noise scheduler. */
    public ConfigFile noiseScheduler() {
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
        if (config(encoder).flatMap(config -> config.text("model_type")).filter("t5"::equals).isPresent()) {
            requireHome(own + "/");
            return diagnosis().checkFolder(home.resolve(own), "a tokenizer");
        }
        return Optional.of(home.resolve(own)).filter(Files::isDirectory).orElseGet(this::tokenizer);
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

    /** Says in one sentence why something in a model folder is not what it should be, and what to do. */
    private record Diagnosis(Path model) {
        private static final int NAMES_IN_MESSAGE = 8;

        void checkIsModel(boolean looksRight) {
            if (!Files.exists(model)) {
                throw new ModelException("there is no model folder " + model);
            }
            if (!Files.isDirectory(model)) {
                refuseWholeModel(model);
                throw new ModelException(model + " is a file; give the folder with model_index.json and unet/ in it");
            }
            if (looksRight) {
                return;
            }
            List<String> names = names(model);
            if (names.contains("model.onnx") || ComponentWeights.isIn(model)) {
                throw new ModelException(model + " holds one component and no model_index.json; "
                    + "give the folder above it, which has unet/, vae/ and the others");
            }
            names.forEach(name -> refuseWholeModel(model.resolve(name)));
            refuseRepository();
            throw new ModelException(model + " is not a model folder: it has neither model_index.json nor unet/ "
                + (names.isEmpty() ? "(it is empty)" : "(it has " + some(names) + ")"));
        }

        private void refuseRepository() {
            try {
                HubCache.snapshots(model).stream().findFirst().ifPresent(snapshot -> {
                    throw new ModelException(model + " is a repository in the hub's cache; give a snapshot of it, such "
                        + "as " + snapshot);
                });
            } catch (IOException e) {
                throw new ModelException("cannot list the snapshots in " + model + ": " + e.getMessage(), e);
            }
        }

        void checkComponent(Component component, Path folder) {
            if (!Files.isDirectory(folder)) {
                throw new ModelException(model + " has no " + component.folders().getFirst()
                    + "/, which is needed here");
            }
            Path file = ComponentFile.GRAPH.in(folder);
            List<String> names = names(folder);
            if (!InputFile.isThere(file)) {
                if (ComponentWeights.isIn(folder)) {
                    throw new ModelException(folder + " has no model.onnx, but a checkpoint; take that");
                }
                names.forEach(name -> refuseOtherFormats(folder.resolve(name)));
                throw new ModelException(file + " is missing"
                    + (names.isEmpty() ? "; the folder is empty" : "; the folder has only " + some(names)));
            }
            // Weights above 2 GB are beside the graph, in a file whose name the exporter chose.
            names.stream().filter(name -> name.startsWith("model.onnx") || name.equals("weights.pb"))
                .forEach(name -> checkContents(folder.resolve(name)));
        }

        Path checkFolder(Path folder, String what) {
            if (!Files.isDirectory(folder)) {
                throw new ModelException(model + " has no " + folder.getFileName() + "/ with " + what + " in it");
            }
            return folder;
        }

        private static void checkContents(Path file) {
            try {
                if (InputFile.head(file, 1).length == 0) {
                    throw new ModelException(file + " is empty; its download or export was cut short");
                }
                if (GitLfs.isPointer(file)) {
                    throw new ModelException(GitLfs.advice(file));
                }
            } catch (IOException e) {
                throw new ModelException(e.getMessage(), e);
            }
        }

        /** A model of which all components lie in one file, in the layout of the original implementation. */
        private static void refuseWholeModel(Path file) {
            String name = file.getFileName().toString();
            if (name.endsWith(".safetensors") || name.endsWith(".gguf") || Pickle.is(name)) {
                throw Pickle.is(name) ? Pickle.refused(file) : new ModelException(file + " is a checkpoint in one "
                    + "file; name the file itself where it can be read, or write it out as a folder with slipstream "
                    + "model convert");
            }
        }

        /** Refuses other formats where a graph is wanted. */
        private static void refuseOtherFormats(Path file) {
            String name = file.getFileName().toString();
            if (Pickle.is(name)) {
                throw Pickle.refused(file);
            }
            if (name.endsWith(".safetensors") || name.endsWith(".gguf")) {
                throw new ModelException(file.getParent() + " has no model.onnx, only " + name + "; weights are read "
                    + "from safetensors as diffusers and transformers name them, diffusion_pytorch_model or model");
            }
        }

        private static List<String> names(Path folder) {
            try (Stream<Path> entries = Files.list(folder)) {
                return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
            } catch (IOException e) {
                throw new ModelException("cannot list the folder " + folder + ": " + e.getMessage(), e);
            }
        }

        private static String some(List<String> names) {
            String listed = String.join(", ", names.subList(0, Math.min(names.size(), NAMES_IN_MESSAGE)));
            return names.size() > NAMES_IN_MESSAGE ? listed + ", ..." : listed;
        }
    }
}
