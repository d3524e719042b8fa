package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.Links;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Files that an index names, which may come from anybody: only those in the index's own folder are opened, and {@link
 * Links} out of it only to what belongs to the model.
 */
final class ShardPath {
    private ShardPath() {
    }

    /** @throws ModelException if the file is outside the folder, or missing */
    static Path resolve(Path index, String name) {
        String shown = "\"" + SafetensorsHeaderReader.shortened(name) + "\"";
        if (Pickle.is(name)) {
            throw Pickle.refused(index + " names " + shown + ", which");
        }
        Path folder = index.toAbsolutePath().getParent().normalize();
        Path file;
        try {
            file = folder.resolve(name).normalize();
            if (name.isBlank() || Path.of(name).isAbsolute() || !file.startsWith(folder) || file.equals(folder)) {
                throw new ModelException(index + " names " + shown + ", which is not inside its folder");
            }
        } catch (InvalidPathException e) {
            throw new ModelException(index + " names " + shown + ", which cannot be a file", e);
        }
        if (!InputFile.isThere(file)) {
            throw new ModelException(file + " is missing, which " + index + " names; download it again");
        }
        checkLink(index, file);
        return file;
    }

    /** One that leads nowhere is complained of when it is opened. */
    private static void checkLink(Path index, Path file) {
        try {
            if (Files.exists(file) && Links.leadOut(index, file)) {
                throw new ModelException(file + ", which " + index + " names, is a link out of the folder, to "
                    + file.toRealPath() + "; put the file itself there");
            }
        } catch (IOException e) {
            throw new ModelException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }
}
