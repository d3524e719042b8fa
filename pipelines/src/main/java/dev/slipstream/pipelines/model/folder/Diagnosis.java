package dev.slipstream.pipelines.model.folder;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import dev.slipstream.pipelines.file.HubCache;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.folder.ModelFile.ComponentFile;
import dev.slipstream.pipelines.model.weights.ComponentWeights;
import dev.slipstream.pipelines.model.weights.Pickle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Says in one sentence why something in a model folder is not what it should be, and what to do. */
record Diagnosis(Path model) {
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
