package dev.slipstream.pipelines.model;

import dev.slipstream.pipelines.file.GitLfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Says in one sentence why something in a model folder is not what it should be, and what to do. */
record FolderDiagnosis(Path model) {
    private static final int NAMES_IN_MESSAGE = 8;

    void checkIsModel(boolean looksRight) {
        if (!Files.exists(model)) {
            throw new ModelException("there is no model folder " + model);
        }
        if (!Files.isDirectory(model)) {
            throw new ModelException(model + " is a file; give the folder with model_index.json and unet/ in it");
        }
        if (looksRight) {
            return;
        }
        List<String> names = names(model);
        if (names.contains("model.onnx")) {
            throw new ModelException(model + " holds one component, model.onnx, and no model_index.json; "
                + "give the folder above it, which has unet/, vae_decoder/ and the others");
        }
        refuseOtherFormats(model, names);
        throw new ModelException(model + " is not a model folder: it has neither model_index.json nor unet/ "
            + (names.isEmpty() ? "(it is empty)" : "(it has " + some(names) + ")"));
    }

    void checkComponent(Component component, Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new ModelException(model + " has no " + component.folders().getFirst() + "/, which is needed here");
        }
        Path file = folder.resolve("model.onnx");
        List<String> names = names(folder);
        if (!Files.isRegularFile(file)) {
            refuseOtherFormats(folder, names);
            throw new ModelException(file + " is missing"
                + (names.isEmpty() ? "; the folder is empty" : "; the folder has only " + some(names)));
        }
        // Weights above 2 GB lie beside the graph, in a file whose name the exporter chose.
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
            if (Files.size(file) == 0) {
                throw new ModelException(file + " is empty; its download or export was cut short");
            }
            if (GitLfs.isPointer(file)) {
                throw new ModelException(GitLfs.advice(file));
            }
        } catch (IOException e) {
            throw new ModelException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private void refuseOtherFormats(Path folder, List<String> names) {
        for (String name : names) {
            if (name.endsWith(".safetensors") || Pickle.is(name) || name.endsWith(".gguf")) {
                throw new ModelException(folder + " holds a checkpoint, " + name + ", and no model.onnx; "
                    + "export it first: optimum-cli export onnx --model " + model + " NEW_FOLDER");
            }
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
