package dev.slipstream.pipelines.model.folder;

import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The ControlNets that diffusers saves with a pipeline: the folders {@code controlnet}, {@code controlnet_1}, ... */
public final class ControlFolders {
    private static final String NAME = "controlnet";

    private ControlFolders() {
    }

    /** Those of a pipeline; none where its settings name none, whatever lies in its folder. */
    public static List<Path> of(ModelFolder folder) {
        List<Path> found = new ArrayList<>();
        Path next = folder.home().resolve(NAME);
        while (isNamed(folder) && Files.isDirectory(next)) {
            found.add(next);
            next = folder.home().resolve(NAME + "_" + found.size());
        }
        return found;
    }

    /**
     * Those of a pipeline, and others behind them.
     *
     * @throws ModelException if its settings name some, and there are none at all
     */
    public static List<Path> with(ModelFolder folder, List<Path> others) {
        List<Path> all = new ArrayList<>(of(folder));
        all.addAll(others);
        if (all.isEmpty() && folder.settings().isPresent() && isNamed(folder)) {
            throw new ModelException(folder + ": model_index.json names a controlnet, but there is no folder "
                + folder.home().resolve(NAME) + "; give a ControlNet with the pipeline, or put one there");
        }
        return all;
    }

    private static boolean isNamed(ModelFolder folder) {
        return folder.settings().map(ControlFolders::names).orElseGet(() -> Files.isDirectory(folder.home()));
    }

    private static boolean names(ConfigFile settings) {
        List<JsonElement> kind = settings.has(NAME) ? settings.list(NAME) : List.of();
        return !kind.isEmpty() && !kind.getLast().isJsonNull();
    }

    /** Whether a folder in a model's is one of these; not, where its settings cannot be read. */
    static boolean has(ModelFolder folder, String name) {
        try {
            return name.matches(NAME + "(_[1-9]\\d*)?") && Files.isDirectory(folder.home().resolve(name))
                && isNamed(folder);
        } catch (ModelException unreadable) {
            return false;
        }
    }
}
