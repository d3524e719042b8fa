package dev.slipstream.pipelines.model.lora;

import dev.slipstream.pipelines.model.inventory.FileNote;
import dev.slipstream.pipelines.model.inventory.Inventory;
import dev.slipstream.pipelines.model.inventory.SilentFiles;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What each file of an adapter's folder is to its reader.
 *
 * @param read files that are read
 * @param parts folders that are adapters of their own
 */
record AdapterInventory(Path folder, List<Path> read, List<Path> parts) {
    private static final Pattern OF_TRAINING = Pattern.compile("[^/]*\\.(txt|ya?ml|toml|csv)",
        Pattern.CASE_INSENSITIVE);
    private static final Pattern PICKLES = Pattern.compile("(adapter_model|pytorch_lora_weights)\\.bin");

    Inventory take() {
        return Inventory.of(folder, List.of(this::ofReader, new SilentFiles(), this::ofTraining));
    }

    private Optional<FileNote> ofReader(String inside, String name) {
        if (!inside.isEmpty()) {
            // Its own inventory says the same once more.
            return Optional.of(FileNote.read("the part of " + inside));
        }
        if (parts.stream().anyMatch(part -> name.equals(part.getFileName() + "/"))) {
            return Optional.of(FileNote.read("a part"));
        }
        return read.stream().anyMatch(file -> name.equals(file.getFileName().toString()))
            ? Optional.of(FileNote.read("the adapter")) : Optional.empty();
    }

    private Optional<FileNote> ofTraining(String inside, String name) {
        if (OF_TRAINING.matcher(name).matches()) {
            return Optional.of(FileNote.silent("about the training"));
        }
        return PICKLES.matcher(name).matches() && !read.isEmpty()
            ? Optional.of(FileNote.silent("the adapter in another form")) : Optional.empty();
    }
}
