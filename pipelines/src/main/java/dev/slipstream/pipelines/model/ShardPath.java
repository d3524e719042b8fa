package dev.slipstream.pipelines.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Files that an index names, which may come from anybody: only those in the index's own folder are opened.
 *
 * <p>Links out of the folder are refused too, with one exception: the cache of the Hugging Face hub keeps every file of
 * {@code snapshots/REVISION/} as a link into {@code blobs/} beside {@code snapshots/}.
 */
final class ShardPath {
    private ShardPath() {
    }

    /** @throws ModelException if the file is outside the folder, missing, or of another kind */
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
        if (!Files.isRegularFile(file)) {
            throw new ModelException(file + " is missing, which " + index + " names; download it again");
        }
        checkLink(index, folder, file);
        return file;
    }

    private static void checkLink(Path index, Path folder, Path file) {
        try {
            Path target = file.toRealPath();
            Path home = folder.toRealPath();
            if (!target.startsWith(home) && !isBlob(home, target)) {
                throw new ModelException(file + ", which " + index + " names, is a link out of the folder, to "
                    + target + "; put the file itself there");
            }
        } catch (IOException e) {
            throw new ModelException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private static boolean isBlob(Path home, Path target) {
        for (Path above = home; above != null; above = above.getParent()) {
            if (above.endsWith("snapshots") && target.startsWith(above.resolveSibling("blobs"))) {
                return true;
            }
        }
        return false;
    }
}
