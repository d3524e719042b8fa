package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.pipelines.file.AtomicFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where merged weights are kept: a folder for each merge, which is made once and serves all threads and processes.
 *
 * @param folder is made when it is needed; it can be deleted when nothing uses it
 * @param maxBytes how much all merges may take. When it is more, those that were not used for longest go, but none that
 *     an open model uses, in whatever process.
 */
public record MergeStore(Path folder, long maxBytes) {
    /** System property that names the user's folder. */
    public static final String FOLDER_PROPERTY = "slipstream.loras";
    /** Environment variable that names it, if the property does not. */
    public static final String FOLDER_VARIABLE = "SLIPSTREAM_LORAS";
    /** The bound if none is given: 20 GiB. */
    public static final long DEFAULT_MAX_BYTES = 20L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(MergeStore.class);

    public MergeStore {
        if (maxBytes < 0) {
            throw new IllegalArgumentException("merged weights cannot be bound to " + maxBytes + " bytes");
        }
        folder = folder.toAbsolutePath().normalize();
    }

    /**
     * What {@value #FOLDER_PROPERTY} or {@value #FOLDER_VARIABLE} say, else {@code lora} in the user's cache; with
     * {@link #DEFAULT_MAX_BYTES}.
     */
    public static MergeStore ofUser() {
        Path folder = Optional.ofNullable(System.getProperty(FOLDER_PROPERTY))
            .or(() -> Optional.ofNullable(System.getenv(FOLDER_VARIABLE)))
            .filter(path -> !path.isBlank()).map(Path::of).orElseGet(() -> UserCache.folder().resolve("lora"));
        return new MergeStore(folder, DEFAULT_MAX_BYTES);
    }

    /**
     * The folder of a merge, made if it is missing.
     *
     * @param id 64 hexadecimal digits
     * @return for whose life the folder stays
     */
    MergeClaim claim(String id, AtomicFolder.Contents contents) throws IOException {
        Files.createDirectories(folder);
        Path merge = folder.resolve(id);
        MergeClaim claim;
        try (KeyLock _ = KeyLock.acquire(merge)) {
            claim = MergeClaim.of(merge);
            try {
                if (!Files.isDirectory(merge)) {
                    AtomicFolder.write(merge, contents);
                }
                Files.setLastModifiedTime(merge, FileTime.from(Instant.now()));
            } catch (IOException | RuntimeException e) {
                claim.close();
                throw e;
            }
        }
        try {
            new MergeCleaning(folder).shrinkTo(maxBytes);
        } catch (IOException e) {
            LOG.warn("cannot make room in {}: {}", folder, FileFailure.reason(e));
        }
        return claim;
    }
}
