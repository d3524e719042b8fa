package dev.slipstream.pipelines.model.hub;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.weights.ComponentFiles.WeightFile;
import dev.slipstream.pipelines.model.weights.ComponentFiles.WeightFile.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which files of a repository a pipeline needs: of each part that its settings name the configuration, and the weights
 * once, in the form that is read. What judges finished pictures is left out, and so are pickles, other frameworks'
 * weights and the same weights in other precisions.
 *
 * @param files paths of all files, with slashes
 * @param variant of the weights, such as {@code fp16}; empty for the plain ones, or the only variant
 */
public record PipelineFiles(Set<String> files, Optional<String> variant) {
    static final String INDEX = "model_index.json";
    private static final Set<String> NOT_RUN = Set.of("safety_checker", "feature_extractor", "watermark");
    private static final Set<String> GRAPH_PARTS = Set.of("vae_decoder", "vae_encoder");
    private static final List<String> TOKENIZER = List.of("tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "tokenizer.json");
    private static final List<String> SLOW_TOKENIZER = List.of("vocab.json", "merges.txt", "spiece.model");

    public PipelineFiles {
        files = new TreeSet<>(files);
    }

    /**
     * @param index the settings of the pipeline; empty for a repository of one component
     * @throws ModelException if there are no weights that are read
     */
    Set<String> needed(Optional<JsonObject> index) {
        Set<String> needed = new LinkedHashSet<>();
        if (index.isEmpty()) {
            component("", needed);
            return needed;
        }
        needed.add(INDEX);
        index.get().entrySet().forEach(entry -> {
            boolean isPart = entry.getValue() instanceof JsonArray names && names.size() == 2
                && !names.get(1).isJsonNull();
            if (isPart && !NOT_RUN.contains(entry.getKey())) {
                part(entry.getKey() + "/", ((JsonArray) entry.getValue()).get(1).getAsString(), needed);
            }
        });
        if (needed.contains("controlnet/config.json")) {
            // Settings name the first alone.
            files.stream().filter(file -> file.matches("controlnet_\\d+/config\\.json"))
                .forEach(file -> component(file.substring(0, file.indexOf('/') + 1), needed));
        }
        GRAPH_PARTS.stream().map(name -> name + "/").filter(folder -> files.contains(folder + "model.onnx"))
            .forEach(folder -> component(folder, needed));
        return needed;
    }

    private void part(String folder, String className, Set<String> needed) {
        if (folder.startsWith("tokenizer") || className.contains("Tokenizer")) {
            boolean isWhole = files.contains(folder + "tokenizer.json");
            TOKENIZER.stream().map(folder::concat).filter(files::contains).forEach(needed::add);
            if (!isWhole) {
                SLOW_TOKENIZER.stream().map(folder::concat).filter(files::contains).forEach(needed::add);
            }
        } else if (files.contains(folder + "scheduler_config.json")) {
            needed.add(folder + "scheduler_config.json");
        } else if (files.contains(folder + "preprocessor_config.json")) {
            needed.add(folder + "preprocessor_config.json");
        } else if (!(folder.equals("vae/") && files.contains("vae_decoder/model.onnx"))) {
            component(folder, needed);
        }
    }

    private void component(String folder, Set<String> needed) {
        List<WeightFile> weights = in(folder).stream().flatMap(name -> WeightFile.of(name).stream()).toList();
        Optional<WeightFile> taken = taken(weights);
        if (taken.isEmpty()) {
            graph(folder, needed);
            return;
        }
        if (files.contains(folder + "config.json")) {
            needed.add(folder + "config.json");
        }
        needed.add(folder + taken.get().name());
        if (taken.get().kind() == Kind.INDEX) {
            weights.stream().filter(file -> file.kind() == Kind.SHARD && file.isOf(taken.get()))
                .forEach(file -> needed.add(folder + file.name()));
        }
    }

    /** The plain weights or those of the variant; where only one variant is there and none is asked for, that one. */
    private Optional<WeightFile> taken(List<WeightFile> weights) {
        List<Optional<String>> variants = weights.stream().map(WeightFile::variant).distinct().toList();
        Optional<String> wanted = variants.contains(variant) || variants.size() != 1 || variant.isPresent() ? variant
            : variants.getFirst();
        return weights.stream().filter(file -> file.variant().equals(wanted) && file.kind() != Kind.SHARD)
            .min(Comparator.comparing(WeightFile::base).thenComparing(WeightFile::kind))
            .or(() -> variant.isPresent() ? new PipelineFiles(files, Optional.empty()).taken(weights)
                : Optional.empty());
    }

    private void graph(String folder, Set<String> needed) {
        if (!files.contains(folder + "model.onnx")) {
            throw new ModelException((folder.isEmpty() ? "the repository" : folder)
                + " has neither safetensors with the usual names nor model.onnx" + (folder.isEmpty() ? ", but "
                + String.join(", ", whole()) + "; name one of them with --file" : "; such weights are not read"));
        }
        in(folder).stream().filter(name -> !WeightFile.of(name).isPresent() && !name.endsWith(".bin")
            && !name.endsWith(".msgpack") && !name.endsWith(".h5") && !name.startsWith("openvino"))
            .map(folder::concat).forEach(needed::add);
    }

    private List<String> whole() {
        return in("").stream().filter(name -> name.endsWith(".safetensors") || name.endsWith(".gguf")).toList();
    }

    /** The names of files that lie in a folder itself. */
    private List<String> in(String folder) {
        List<String> names = new ArrayList<>();
        for (String file : files) {
            if (file.startsWith(folder) && file.indexOf('/', folder.length()) < 0) {
                names.add(file.substring(folder.length()));
            }
        }
        return names;
    }
}
