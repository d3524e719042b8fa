package dev.slipstream.pipelines.model.folder;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.folder.Inventory.FileNote;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.folder.ModelFile.TokenizerFile;
import dev.slipstream.pipelines.model.weights.ComponentFiles.WeightFile.Kind;
import dev.slipstream.pipelines.model.weights.ComponentFiles.WeightFile;
import dev.slipstream.pipelines.model.weights.ComponentFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Which reader reads each file of a model folder, by the same names that the readers look for: {@link ModelFile},
 * {@link ComponentFile}, {@link WeightFile} and {@link TokenizerFile}.
 */
public final class ModelInventory {
    private static final Pattern ADAPTER = Pattern.compile(".*(lora|lycoris|adapter_(model|config)).*\\.[a-z]+",
        Pattern.CASE_INSENSITIVE);
    private static final Pattern WHOLE_MODEL = Pattern.compile(".*\\.(safetensors|ckpt|gguf)");
    /** Weights beside a graph that are too large for its own file, as exporters name them. */
    private static final Pattern GRAPH_DATA = Pattern.compile(
        "model\\.onnx.+|weights\\.pb|.*\\.(onnx_data|data|weight|bias)(_\\d+)?|onnx__.*|.*attr__value");
    private static final Pattern OTHER_FRAMEWORKS = Pattern.compile(
        ".*\\.(msgpack|h5|ot|tflite|onnx|gguf)|openvino_.*|(diffusion_)?pytorch_model.*\\.bin"
            + "|.*\\.(bin|msgpack|h5)\\.index(\\.[^.]+)?\\.json");
    private static final Pattern OTHER_USES = Pattern.compile(
        "(generation_config|preprocessor_config|processor_config)\\.json|chat_template\\..*");

    private final ModelFolder folder;
    private final Set<Path> weights;

    private ModelInventory(ModelFolder folder, Set<Path> weights) {
        this.folder = folder;
        this.weights = Set.copyOf(weights);
    }

    /** @param weights files that the component's graphs refer to, which may have any name */
    public static Inventory of(ModelFolder folder, Set<Path> weights) {
        if (!Files.isDirectory(folder.home())) {
            return new Inventory(folder.path().getParent(), List.of(new Inventory.Entry(
                folder.path().getFileName().toString(), FileNote.read("the model"))), true);
        }
        ModelInventory model = new ModelInventory(folder, weights);
        return Inventory.of(folder.home(), List.of(model::ofVideos, model::topFolder, model::named, model::elsewhere,
            model::ofComponent, model::ofTokenizer, new SilentFiles(), model::adapter, model::ofOriginal));
    }

    /** What sees pictures has a model's text encoder's place; beside one it is another's. Settings belong to it. */
    private Optional<FileNote> ofVideos(String inside, String name) {
        String whole = inside.isEmpty() ? name : inside + "/" + name;
        boolean seesPictures = folder.has(Component.IMAGE_ENCODER) && !folder.has(Component.TEXT_ENCODER);
        if (!seesPictures && whole.equals(name(Component.IMAGE_ENCODER) + "/")) {
            return Optional.of(FileNote.unread("only models that make videos of pictures read it"));
        }
        return seesPictures && (whole.equals("feature_extractor/")
            || whole.equals("feature_extractor/preprocessor_config.json"))
            ? Optional.of(FileNote.read("image_encoder")) : Optional.empty();
    }

    private Optional<FileNote> topFolder(String inside, String name) {
        if (!inside.isEmpty() || !name.endsWith("/")) {
            return Optional.empty();
        }
        String shown = name.substring(0, name.length() - 1);
        boolean isNamed = Arrays.stream(ModelFile.values()).anyMatch(file -> file.folder().equals(name));
        if (isComponent(shown) || isTokenizer(shown) || isNamed || shown.startsWith("scheduler-")) {
            return Optional.of(FileNote.read(shown));
        }
        return Arrays.stream(Component.values()).filter(component -> component.folders().contains(shown)).findFirst()
            .map(component -> component != Component.DENOISER
                && Files.isRegularFile(ComponentFile.GRAPH.in(folder.folder(component)))
                ? FileNote.silent("the model in another form; " + name(component) + "/model.onnx is taken")
                : FileNote.unread(name(component) + "/ is taken"));
    }

    private boolean isComponent(String inside) {
        return ControlFolders.has(folder, inside)
            || Arrays.stream(Component.values()).anyMatch(component -> name(component).equals(inside));
    }

    private String name(Component component) {
        return folder.folder(component).getFileName().toString();
    }

    private static boolean isTokenizer(String inside) {
        return inside.matches("tokenizer(_[23])?");
    }

    private Optional<FileNote> named(String inside, String name) {
        if (inside.startsWith("scheduler-") && name.equals("scheduler_config.json")) {
            return Optional.of(FileNote.read("reference cases"));
        }
        return ModelFile.at(inside.isEmpty() ? name : inside + "/" + name).map(ModelFile::reader).map(FileNote::read);
    }

    /** Of a component that a file has. */
    private Optional<FileNote> elsewhere(String inside, String name) {
        boolean isElsewhere = Arrays.stream(Component.values()).anyMatch(component ->
            component.folders().contains(inside) && folder.elsewhere().has(component));
        return isElsewhere && !name.equals(ComponentFile.CONFIG.fileName())
            ? Optional.of(FileNote.silent("the component in a file of its own is taken")) : Optional.empty();
    }

    private Optional<FileNote> ofComponent(String inside, String name) {
        if (!isComponent(inside)) {
            return Optional.empty();
        }
        Path home = folder.home().resolve(inside);
        boolean hasGraph = InputFile.isThere(ComponentFile.GRAPH.in(home));
        Optional<WeightFile> taken = new ComponentFiles(home).taken();
        if (weights.contains(home.resolve(name))) {
            return Optional.of(FileNote.read("weights of " + inside));
        }
        if (Arrays.stream(ComponentFile.values()).anyMatch(file -> file.fileName().equals(name))) {
            return Optional.of(FileNote.read(inside));
        }
        if (hasGraph && GRAPH_DATA.matcher(name).matches()) {
            return Optional.of(FileNote.read("weights of " + inside));
        }
        if (OTHER_USES.matcher(name).matches()) {
            return Optional.of(FileNote.silent("for other uses of the model"));
        }
        Optional<WeightFile> weight = WeightFile.of(name);
        if (hasGraph && (weight.isPresent() || OTHER_FRAMEWORKS.matcher(name).matches())) {
            return Optional.of(FileNote.silent("the model in another form; model.onnx is taken"));
        }
        if (taken.isPresent() && OTHER_FRAMEWORKS.matcher(name).matches()) {
            return Optional.of(FileNote.silent("the model in another form; " + taken.get().name() + " is taken"));
        }
        return weight.map(file -> ofWeights(file, taken, home));
    }

    private static FileNote ofWeights(WeightFile file, Optional<WeightFile> taken, Path home) {
        if (taken.isEmpty()) {
            return FileNote.unread("which weights are meant is not clear");
        }
        String instead = taken.get().name() + " is taken";
        boolean isSame = file.variant().equals(taken.get().variant());
        if (file.equals(taken.get()) || file.kind() == Kind.SHARD && taken.get().kind() == Kind.INDEX
            && file.isOf(taken.get())) {
            return FileNote.read("weights of " + home.getFileName());
        }
        if (file.kind() == Kind.SHARD && !Files.exists(home.resolve(file.index()))) {
            return FileNote.unread("a shard without " + file.index());
        }
        return isSame ? FileNote.unread("the same weights twice; " + instead)
            : FileNote.silent(file.variant().map(name -> "variant " + name).orElse("plain weights") + "; " + instead);
    }

    private Optional<FileNote> ofTokenizer(String inside, String name) {
        if (!isTokenizer(inside)) {
            return Optional.empty();
        }
        boolean isWhole = Files.exists(TokenizerFile.TOKENIZER.in(folder.home().resolve(inside)));
        boolean isClip = Files.exists(TokenizerFile.VOCABULARY.in(folder.home().resolve(inside)));
        Optional<TokenizerFile> file = TokenizerFile.of(name)
            .filter(it -> it != TokenizerFile.PIECES || isWhole || !isClip);
        if (file.isPresent()) {
            return Optional.of(isWhole && file.get().isInTokenizer()
                ? FileNote.silent("the same as in tokenizer.json") : FileNote.read(inside));
        }
        if (isWhole && name.endsWith(".model")) {
            return Optional.of(FileNote.silent("the same as in tokenizer.json"));
        }
        return OTHER_USES.matcher(name).matches() ? Optional.of(FileNote.silent("for other uses of the model"))
            : Optional.empty();
    }

    private Optional<FileNote> adapter(String inside, String name) {
        return ADAPTER.matcher(name).matches()
            ? Optional.of(FileNote.unread("an adapter; give it as a LoRA")) : Optional.empty();
    }

    /** Files of a model's original implementation: the whole model in one file, which is larger than any part. */
    private Optional<FileNote> ofOriginal(String inside, String name) {
        if (!inside.isEmpty()) {
            return Optional.empty();
        }
        if (name.endsWith(".yaml") || name.endsWith(".yml")) {
            return Optional.of(FileNote.silent("settings of the original implementation"));
        }
        if (name.equals("config.json") && folder.elsewhere().has(Component.DENOISER)) {
            return Optional.of(FileNote.read("the denoiser"));
        }
        if (name.equals("config.json") || name.equals("configuration.json")) {
            return Optional.of(FileNote.silent("for the hubs, which count downloads by it"));
        }
        if (folder.elsewhere().has(Component.DENOISER) && WHOLE_MODEL.matcher(name).matches()) {
            return Optional.of(FileNote.silent("weights; those of " + folder.path().getFileName() + " are taken"));
        }
        Path denoiser = folder.folder(Component.DENOISER);
        long part = Files.isDirectory(denoiser) ? new ComponentFiles(denoiser).taken()
            .map(file -> size(denoiser.resolve(file.name()))).orElse(0L) : 0;
        return part > 0 && WHOLE_MODEL.matcher(name).matches() && size(folder.home().resolve(name)) >= part
            ? Optional.of(FileNote.silent("the whole model in one file; its parts are taken")) : Optional.empty();
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException unknown) {
            return 0;
        }
    }
}
