package dev.slipstream.pipelines.file;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Symbolic links to files that another file names. That one may come from anybody, so a link must not lead it to what
 * is no part of the model.
 */
public final class Links {
    private Links() {
    }

    /**
     * Whether a file really lies outside of these: the folder of the file that names it, the folder in which that one
     * itself really lies, and the blobs of a {@link HubCache}.
     *
     * @throws IOException if one of them is missing or cannot be read
     */
    public static boolean leadOut(Path naming, Path named) throws IOException {
        Path target = named.toRealPath();
        Path folder = naming.toAbsolutePath().getParent().toRealPath();
        return !target.startsWith(folder) && !target.startsWith(naming.toRealPath().getParent())
            && !HubCache.isBlob(folder, target);
    }
}
