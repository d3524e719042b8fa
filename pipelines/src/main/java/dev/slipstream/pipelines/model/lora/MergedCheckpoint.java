package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.Checkpoint;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.SafetensorsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint with changes: a folder with the changed weights in a file of their own, and beside it the checkpoint's
 * files, since engines refuse weights outside one folder. They are linked, or copied where links are not possible.
 *
 * @param changes by the name of the weight
 */
record MergedCheckpoint(Component component, Checkpoint base, Map<String, List<Change>> changes) {
    private static final String CHANGED = "changed.safetensors";
    /** To be raised when the same files are merged to other weights than before. */
    private static final String FORMULAS = "2 ";

    /** The folder, made unless it is there already, under a name that follows from all of it. */
    MergeClaim claim(MergeStore store) {
        try {
            Map<Path, String> links = links();
            return store.claim(name(links), folder -> write(folder, links));
        } catch (IOException e) {
            throw new ModelException("cannot merge LoRAs into " + base.folder() + ": " + e.getMessage(), e);
        }
    }

    /** What the checkpoint's files are called in the new folder. */
    private Map<Path, String> links() {
        Map<Path, String> links = new LinkedHashMap<>();
        for (StoredWeight weight : base.weights().values()) {
            links.computeIfAbsent(weight.file(), file -> "base-" + links.size() + ".safetensors");
        }
        return links;
    }

    private String name(Map<Path, String> links) throws IOException {
        StringBuilder all = new StringBuilder(FORMULAS).append(component.name());
        for (Path file : links.keySet()) {
            // The bytes of gigabytes are not worth reading: who changes them changes the time, too.
            Path real = file.toRealPath();
            all.append('\n').append(real).append(' ').append(Files.size(real)).append(' ')
                .append(Files.getLastModifiedTime(real));
        }
        changes.forEach((name, list) -> list.forEach(change -> all.append('\n').append(name).append(' ')
            .append(change.lora().hash()).append(' ').append(change.layer()).append(' ').append(change.weight())));
        return ContentHash.of(all.toString());
    }

    private void write(Path folder, Map<Path, String> links) throws IOException {
        for (Map.Entry<Path, String> link : links.entrySet()) {
            link(link.getKey().toRealPath(), folder.resolve(link.getValue()));
        }
        try (Merge merge = Merge.open(base, changes)) {
            merge.write(folder.resolve(CHANGED));
        }
    }

    private static void link(Path file, Path link) throws IOException {
        try {
            Files.createLink(link, file);
        } catch (IOException | UnsupportedOperationException notHere) {
            Files.copy(file, link);
        }
    }

    /** @param folder that was claimed */
    Checkpoint open(Path folder) {
        Map<Path, String> links = links();
        Map<String, StoredWeight> weights = new LinkedHashMap<>();
        try (SafetensorsFile changed = SafetensorsFile.open(folder.resolve(CHANGED))) {
            base.weights().forEach((name, weight) -> weights.put(name, changes.containsKey(name)
                ? new StoredWeight(changed.path(), changed.offset(name), weight.type(), weight.shape())
                : new StoredWeight(folder.resolve(links.get(weight.file())), weight.offset(), weight.type(),
                    weight.shape())));
        }
        return new Checkpoint(folder, weights);
    }
}
