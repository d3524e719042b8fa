package dev.slipstream.samples.options;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.model.hub.HubFolder;
import dev.slipstream.pipelines.model.hub.HubModel;
import dev.slipstream.samples.terminal.InputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** What a model is named by: a path, or {@code ORG/NAME[@REVISION]} of what was fetched from a hub. */
public final class ModelPath {
    private ModelPath() {
    }

    /**
     * The folder or file. A path that is there comes first.
     *
     * @param environment variables of the process, which say where the hub's cache is
     * @throws InputException if the name can only be a hub's, and the model was not fetched
     */
    public static Path of(String name, Map<String, String> environment) {
        Path path = Path.of(name);
        Optional<HubModel> model = InputFile.isThere(path) ? Optional.empty() : HubModel.parse(name);
        if (model.isEmpty()) {
            return path;
        }
        HubFolder folder = HubFolder.of(model.get(), environment);
        try {
            Optional<Path> snapshot = folder.find(model.get().revision());
            if (snapshot.isEmpty() && isFile(name)) {
                return path;
            }
            return snapshot.orElseThrow(() -> new InputException("there is no folder " + name
                + ", and no such model in the hub's cache (" + folder.folder().getParent()
                + "); slipstream model pull " + name + " fetches it"));
        } catch (IOException e) {
            throw new InputException("cannot look into " + folder.folder() + ": " + e.getMessage(), e);
        }
    }

    /** No model on a hub is called like a file of weights. */
    private static boolean isFile(String name) {
        return name.matches(".*\\.(safetensors|gguf|ckpt|pt|pth|bin|onnx)");
    }
}
