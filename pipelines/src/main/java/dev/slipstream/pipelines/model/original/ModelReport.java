package dev.slipstream.pipelines.model.original;

import com.google.gson.JsonArray;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.tensor.ElementType;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ControlFolders;
import dev.slipstream.pipelines.model.folder.Inventory;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.folder.ModelInventory;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.FileTensor;
import dev.slipstream.pipelines.model.weights.TensorView;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a model is, as far as headers and configurations say it: no weight is read.
 *
 * @param model the folder or file
 * @param family diffusers' class of the pipeline, else of the denoiser; empty if nothing says it
 * @param knownAs what we call it, where we have its configurations
 * @param parts its networks
 * @param missing folders and files that a model of the kind has and this one has not
 * @param inventory every file, and whether it is read
 * @param unknown tensors of a file that no part is known to have
 */
public record ModelReport(Path model, Optional<String> family, Optional<String> knownAs, List<Part> parts,
    List<String> missing, Inventory inventory, List<String> unknown) {

    /** Parts of diffusers' pipelines that judge pictures and are not run here. */
    private static final Set<String> UNUSED = Set.of("safety_checker", "feature_extractor", "watermark");

    /**
     * A network.
     *
     * @param name of its folder
     * @param className as diffusers or transformers call it; empty if nothing says it
     * @param form {@code checkpoint}, {@code graph} or {@code file}
     * @param types of its weights as they are stored, with how many parameters have it
     * @param parameters all together
     * @param bytes as they are stored
     */
    public record Part(String name, String className, String form, Map<String, Long> types, long parameters,
        long bytes) {
    }

    public ModelReport {
        parts = List.copyOf(parts);
        missing = List.copyOf(missing);
        unknown = List.copyOf(unknown);
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if there is no such model, or a part is damaged */
    public static ModelReport of(ModelSource source) {
        try (ModelFolder folder = source.open()) {
            Optional<SingleFile> file = folder.elsewhere() instanceof SingleFile it ? Optional.of(it)
                : Optional.empty();
            List<Part> parts = new ArrayList<>();
            file.ifPresent(it -> it.layout().modules().forEach((name, module) -> parts.add(ofFile(name, module))));
            Set<String> seen = new TreeSet<>();
            for (Component component : Component.values()) {
                if (folder.has(component) && !folder.elsewhere().has(component)) {
                    Part part = part(folder, component);
                    if (seen.add(part.name())) {
                        parts.add(part);
                    }
                }
            }
            ControlFolders.of(folder).forEach(control -> parts.add(control(control)));
            return new ModelReport(source.model(), folder.pipelineClass().or(() -> className(folder)),
                file.flatMap(SingleFile::knownAs), parts, missing(folder, parts),
                ModelInventory.of(folder, Set.of()), file.map(it -> it.layout().unknown()).orElse(List.of()));
        }
    }

    private static Optional<String> className(ModelFolder folder) {
        return folder.has(Component.DENOISER) ? folder.config(Component.DENOISER)
            .flatMap(config -> config.text("_class_name")) : Optional.empty();
    }

    private static Part part(ModelFolder folder, Component component) {
        String className = folder.config(component).map(ModelReport::className).orElse("");
        Path home = folder.folder(component);
        String name = home.getFileName().toString();
        return folder.format(component) == ComponentFormat.CHECKPOINT ? ofCheckpoint(name, className, home)
            : ofGraph(name, className, GraphFile.read(folder.require(component)));
    }

    private static Part control(Path home) {
        String name = home.getFileName().toString();
        if (ComponentFormat.of(home) == ComponentFormat.ONNX) {
            return ofGraph(name, "", GraphFile.read(home.resolve("model.onnx")));
        }
        return ofCheckpoint(name, className(ConfigFile.read(home.resolve("config.json"))), home);
    }

    private static String className(ConfigFile config) {
        return config.text("_class_name").or(() -> config.list("architectures").stream().findFirst()
            .map(first -> config.text("architectures", first))).orElse("");
    }

    private static Part ofFile(String name, OriginalLayout.Module module) {
        Map<String, Long> types = new LinkedHashMap<>();
        long parameters = 0;
        double bytes = 0;
        for (TensorView view : module.weights().views().values()) {
            FileTensor tensor = module.weights().file().tensor(view.tensor());
            long elements = view.shape().elements();
            types.merge(tensor.storedAs(), elements, Long::sum);
            parameters += elements;
            bytes += elements == 0 ? 0 : (double) tensor.data().byteSize() * elements / tensor.shape().elements();
        }
        return new Part(name, module.className(), "file", types, parameters, Math.round(bytes));
    }

    private static Part ofCheckpoint(String name, String className, Path folder) {
        Map<String, Long> types = new LinkedHashMap<>();
        try (ComponentWeights weights = ComponentWeights.open(folder)) {
            weights.tensors().values().forEach(tensor ->
                types.merge(tensor.type().name(), tensor.shape().elements(), Long::sum));
            return new Part(name, className, "checkpoint", types,
                types.values().stream().mapToLong(Long::longValue).sum(),
                weights.tensors().values().stream().mapToLong(tensor -> tensor.data().byteSize()).sum());
        }
    }

    private static Part ofGraph(String name, String className, Graph graph) {
        Map<String, Long> types = new LinkedHashMap<>();
        long[] bytes = {0};
        graph.weights().values().forEach(weight -> {
            long elements = weight.getDimsList().stream().reduce(1L, (one, other) -> one * other);
            Optional<ElementType> type = ElementType.ofCode(weight.getDataType());
            types.merge(type.map(ElementType::name).orElse("other"), elements, Long::sum);
            bytes[0] += elements * type.map(ElementType::bytes).orElse(0);
        });
        return new Part(name, className, "graph", types, types.values().stream().mapToLong(Long::longValue).sum(),
            bytes[0]);
    }

    /** What the pipeline's settings name and is neither here nor in the file. */
    private static List<String> missing(ModelFolder folder, List<Part> parts) {
        List<String> missing = new ArrayList<>();
        folder.settings().ifPresent(settings -> settings.root().entrySet().forEach(entry -> {
            boolean isPart = entry.getValue() instanceof JsonArray names && names.size() == 2
                && !names.get(1).isJsonNull();
            boolean isThere = parts.stream().anyMatch(part -> part.name().equals(entry.getKey())
                    || entry.getKey().equals("vae") && part.name().startsWith("vae"))
                || Files.isDirectory(folder.home().resolve(entry.getKey()))
                || entry.getKey().equals("scheduler") && folder.elsewhere().noiseScheduler().isPresent();
            if (isPart && !isThere && !UNUSED.contains(entry.getKey())) {
                missing.add(entry.getKey() + "/");
            }
        }));
        if (folder.settings().isEmpty()) {
            missing.add("model_index.json");
        }
        for (Component component : Component.values()) {
            if (folder.elsewhere().has(component) && folder.config(component).isEmpty()) {
                String config = component.folders().stream().filter(name -> parts.stream()
                    .anyMatch(part -> part.name().equals(name))).findFirst().orElse("") + "/config.json";
                if (!missing.contains(config)) {
                    missing.add(config);
                }
            }
        }
        return missing;
    }
}
