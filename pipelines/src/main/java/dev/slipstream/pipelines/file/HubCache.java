package dev.slipstream.pipelines.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The cache of the Hugging Face hub, in which every file of a snapshot is a link to a blob that is named by its
 * contents (huggingface_hub, "Understand caching"):
 *
 * <pre>
 *     models--ORGANISATION--NAME/blobs/HASH
 *     models--ORGANISATION--NAME/snapshots/REVISION/unet/config.json -> ../../../blobs/HASH
 * </pre>
 */
public final class HubCache {
    private static final String SNAPSHOTS = "snapshots";
    private static final String PREFIX = "models--";

    private HubCache() {
    }

    /**
     * Whether a symbolic link leads out of a model. A file that names other files is not trusted: these must be in its
     * own folder, in the folder that it is itself a link into, or among the blobs of the cache.
     *
     * @param naming the file that names the other
     * @throws IOException if one of them is missing or cannot be read
     */
    public static boolean leadsOut(Path naming, Path named) throws IOException {
        Path target = named.toRealPath();
        Path folder = naming.toAbsolutePath().getParent().toRealPath();
        return !target.startsWith(folder) && !target.startsWith(naming.toRealPath().getParent())
            && !isBlob(folder, target);
    }

    /** Whether a file is a blob of the repository that a folder, perhaps deep inside a snapshot, belongs to. */
    private static boolean isBlob(Path folder, Path file) {
        for (Path above = folder; above != null; above = above.getParent()) {
            if (above.endsWith(SNAPSHOTS) && file.startsWith(above.resolveSibling("blobs"))) {
                return true;
            }
        }
        return false;
    }

    /** The hub's name of the model, {@code ORGANISATION/NAME}; empty if the folder is no snapshot. */
    public static Optional<String> model(Path snapshot) {
        return Optional.ofNullable(snapshot.getParent()).filter(above -> above.endsWith(SNAPSHOTS)).map(Path::getParent)
            .filter(HubCache::isRepository)
            .map(repository -> repository.getFileName().toString().substring(PREFIX.length()).replace("--", "/"));
    }

    private static boolean isRepository(Path folder) {
        return folder.getFileName() != null && folder.getFileName().toString().startsWith(PREFIX);
    }

    /** The snapshots of a repository; none if the folder is no repository. */
    public static List<Path> snapshots(Path repository) throws IOException {
        Path snapshots = repository.resolve(SNAPSHOTS);
        if (!isRepository(repository) || !Files.isDirectory(snapshots)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(snapshots)) {
            return all.filter(Files::isDirectory).sorted().toList();
        }
    }
}
