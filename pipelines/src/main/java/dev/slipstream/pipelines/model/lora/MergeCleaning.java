package dev.slipstream.pipelines.model.lora;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.pipelines.file.AtomicFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Deletes merges that nobody uses, and what dead processes have left, while others use the same folder. */
record MergeCleaning(Path folder) {
    private static final String MERGE = "[0-9a-f]{64}";

    /** A merge. @param used when it was opened last */
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

        /** A link to a checkpoint's file takes no room. Where the system does not tell, it counts. */
        private static boolean isShared(Path file) throws IOException {
            return Files.getFileStore(file).supportsFileAttributeView("unix")
                && (int) Files.getAttribute(file, "unix:nlink") > 1;
        }
    }

    /** Deletes the merges that were not used for longest until the rest fits, but none that somebody uses. */
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

    /** Whether it is gone. */
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
            Optional<Path> claim = KeyLock.targetOf(entry).filter(target -> MergeClaim.isFor(merge, target));
            if (claim.isPresent() && !isFree(claim.get())) {
                return true;
            }
        }
        return false;
    }

    /** A lock that could be taken, and was given back, was a dead process's. */
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
