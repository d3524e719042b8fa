package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.pipelines.file.AtomicFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where computed weights are kept, merged with LoRAs or dequantised: a folder for each component of a model, called a
 * merge here, which is made once and serves all threads and processes.
 *
 * @param folder is made when it is needed; it can be deleted when nothing uses it
 * @param maxBytes how much all merges may take. When it is more, those that were not used for longest go, but none that
 *     an open model uses, in whatever process.
 */
public record WeightStore(Path folder, long maxBytes) {
    /** System property that names the user's folder. */
    public static final String FOLDER_PROPERTY = "slipstream.loras";
    /** Environment variable that names it, if the property does not. */
    public static final String FOLDER_VARIABLE = "SLIPSTREAM_LORAS";
    /** The bound if none is given: 20 GiB. */
    public static final long DEFAULT_MAX_BYTES = 20L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(WeightStore.class);

    public WeightStore {
        if (maxBytes < 0) {
            throw new IllegalArgumentException("computed weights cannot be bound to " + maxBytes + " bytes");
        }
        folder = folder.toAbsolutePath().normalize();
    }

    /**
     * What {@value #FOLDER_PROPERTY} or {@value #FOLDER_VARIABLE} say, else {@code lora} in the user's cache; with
     * {@link #DEFAULT_MAX_BYTES}.
     */
    public static WeightStore ofUser() {
        Path folder = Optional.ofNullable(System.getProperty(FOLDER_PROPERTY))
            .or(() -> Optional.ofNullable(System.getenv(FOLDER_VARIABLE)))
            .filter(path -> !path.isBlank()).map(Path::of).orElseGet(() -> UserCache.folder().resolve("lora"));
        return new WeightStore(folder, DEFAULT_MAX_BYTES);
    }

    /**
     * The folder of a merge, made if it is missing.
     *
     * @param id 64 hexadecimal digits
     * @return keeps the folder until it is closed
     */
    public Claim claim(String id, AtomicFolder.Contents contents) throws IOException {
        Files.createDirectories(folder);
        Path merge = folder.resolve(id);
        Claim claim;
        try (KeyLock _ = KeyLock.acquire(merge)) {
            claim = Claim.of(merge);
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
            new Cleaning(folder).shrinkTo(maxBytes);
        } catch (IOException e) {
            LOG.warn("cannot make room in {}: {}", folder, FileFailure.reason(e));
        }
        return claim;
    }

    /** Keeps a merge's folder from being deleted. Each claim is a lock of its own, so that there can be any number. */
    public record Claim(Path merge, KeyLock lock) implements AutoCloseable {
        private static final Pattern NAME = Pattern.compile(
            "([0-9a-f]{64})\\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}");

        /** The caller holds the lock of the merge itself, so that it is not being deleted. */
        static Claim of(Path merge) throws IOException {
            return new Claim(merge, KeyLock.acquire(merge.resolveSibling(merge.getFileName() + "."
                + UUID.randomUUID())));
        }

        /** Whether a lock is a claim to the merge. @param target the path that is locked */
        static boolean isFor(Path merge, Path target) {
            Matcher name = NAME.matcher(target.getFileName().toString());
            return name.matches() && name.group(1).equals(merge.getFileName().toString());
        }

        @Override
        public void close() {
            try {
                lock.close();
            } catch (IOException e) {
                // The lock itself has ended with its channel; the next cleaning deletes its file.
                LOG.warn("cannot give back a lock on {}: {}", merge, FileFailure.reason(e));
            }
        }
    }

    /** Deletes merges that are not in use, and what dead processes have left, while others use the same folder. */
    private record Cleaning(Path folder) {
        private static final String MERGE = "[0-9a-f]{64}";

        /** A merge. @param used when it was last opened */
        private record Stored(Path merge, long bytes, Instant used) {
            static Stored of(Path merge) throws IOException {
                long bytes = 0;
                try (Stream<Path> files = Files.list(merge)) {
                    for (Path file : files.toList()) {
                        bytes += isShared(file) ? 0 : Files.size(file);
                    }
                }
                return new Stored(merge, bytes, Files.getLastModifiedTime(merge).toInstant());
            }

            /** A link to a checkpoint's file takes no room; if the system cannot tell, it counts as a file. */
            private static boolean isShared(Path file) throws IOException {
                return Files.getFileStore(file).supportsFileAttributeView("unix")
                    && (int) Files.getAttribute(file, "unix:nlink") > 1;
            }
        }

        /** Deletes the merges that were not used for longest until the rest fits, but none that is in use. */
        void shrinkTo(long maxBytes) throws IOException {
            sweep();
            List<Stored> merges = merges();
            long bytes = merges.stream().mapToLong(Stored::bytes).sum();
            for (Stored oldest : merges) {
                if (bytes > maxBytes && delete(oldest.merge())) {
                    bytes -= oldest.bytes();
                }
            }
        }

        /** Those not used for longest first. */
        private List<Stored> merges() throws IOException {
            List<Stored> merges = new ArrayList<>();
            for (Path entry : entries()) {
                if (entry.getFileName().toString().matches(MERGE)) {
                    try {
                        merges.add(Stored.of(entry));
                    } catch (NoSuchFileException gone) {
                        // Another process was faster.
                    }
                }
            }
            merges.sort(Comparator.comparing(Stored::used));
            return merges;
        }

        /** Whether it is deleted. */
        private boolean delete(Path merge) throws IOException {
            Optional<KeyLock> lock = KeyLock.tryAcquire(merge);
            if (lock.isEmpty()) {
                return false;
            }
            try (KeyLock _ = lock.get()) {
                if (isClaimed(merge)) {
                    return false;
                }
                AtomicFolder.delete(merge);
                return true;
            }
        }

        private boolean isClaimed(Path merge) throws IOException {
            for (Path entry : entries()) {
                Optional<Path> claim = KeyLock.targetOf(entry).filter(target -> Claim.isFor(merge, target));
                if (claim.isPresent() && !isFree(claim.get())) {
                    return true;
                }
            }
            return false;
        }

        /** Whether the claim's process has ended: then its lock can be taken, and is given back. */
        private static boolean isFree(Path target) throws IOException {
            Optional<KeyLock> lock = KeyLock.tryAcquire(target);
            if (lock.isPresent()) {
                lock.get().close();
            }
            return lock.isPresent();
        }

        /** Deletes unfinished merges whose writers are dead: the merges' locks are free. */
        private void sweep() throws IOException {
            for (Path entry : entries()) {
                Optional<Path> target = AtomicFile.targetOf(entry)
                    .filter(merge -> merge.getFileName().toString().matches(MERGE));
                Optional<KeyLock> lock = target.isPresent() ? KeyLock.tryAcquire(target.get()) : Optional.empty();
                if (lock.isPresent()) {
                    try (KeyLock _ = lock.get()) {
                        AtomicFolder.delete(entry);
                    }
                }
            }
        }

        private List<Path> entries() throws IOException {
            try (Stream<Path> entries = Files.list(folder)) {
                return entries.toList();
            }
        }
    }
}
