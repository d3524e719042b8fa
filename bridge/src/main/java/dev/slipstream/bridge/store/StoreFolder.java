package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.KeyLock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The files of a store. Any thread of any process may use it at any time; only writing needs a lock. */
final class StoreFolder {
    private final Path folder;

    StoreFolder(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    /** A file. @param used when it was written or read last: its time of modification, which all processes see */
    record Stored(Path file, long bytes, Instant used) {
        /** The name without its ending. */
        String id() {
            String name = file.getFileName().toString();
            return name.substring(0, name.indexOf('.'));
        }
    }

    Path path() {
        return folder;
    }

    Path file(String id, Kind kind) {
        return folder.resolve(kind.fileName(id));
    }

    /**
     * The payload, checked and mapped, and noted as used; empty if there is none.
     *
     * @throws DamagedFileException if the file is not what it should be
     */
    Optional<MemorySegment> read(EngineKey key, Kind kind, Arena arena) throws IOException {
        Path file = file(key.id(), kind);
        try {
            MemorySegment payload = Uninterrupted.io(() -> StoredFile.read(file, key, arena));
            touch(file);
            return Optional.of(payload);
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        }
    }

    private static void touch(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        } catch (IOException readOnlyOrGone) {
            // It only looks older than it is, and goes a little early.
        }
    }

    /** Waits for the right to write a file, and makes the folder if need be. */
    KeyLock lock(EngineKey key, Kind kind) throws IOException {
        Files.createDirectories(folder);
        return KeyLock.acquire(file(key.id(), kind));
    }

    /** Writes a file; the caller holds its lock. What writers that died have left makes room first. */
    void write(Label label, Kind kind, MemorySegment payload) throws IOException {
        Path file = file(label.key().id(), kind);
        for (Path rest : entries()) {
            if (AtomicFile.targetOf(rest).equals(Optional.of(file))) {
                Files.deleteIfExists(rest);
            }
        }
        sweep();
        Uninterrupted.io(() -> {
            AtomicFile.write(file, channel -> StoredFile.write(channel, label, payload));
            return null;
        });
    }

    /** Deletes temporary and lock files whose writers are dead: their locks are free. */
    void sweep() throws IOException {
        for (Path entry : entries()) {
            Optional<Path> target = AtomicFile.targetOf(entry).or(() -> KeyLock.targetOf(entry));
            if (target.isPresent() && isOurs(target.get())) {
                sweep(entry, target.get());
            }
        }
    }

    private static void sweep(Path rest, Path target) {
        try {
            Optional<KeyLock> lock = KeyLock.tryAcquire(target);
            if (lock.isPresent()) {
                try (KeyLock _ = lock.get()) {
                    Files.deleteIfExists(rest);
                }
            }
        } catch (IOException foreign) {
            // Another user's, perhaps: it takes room, and is in nobody's way.
        }
    }

    private static boolean isOurs(Path file) {
        return Stream.of(Kind.values()).anyMatch(kind -> kind.isFileName(file.getFileName().toString()));
    }

    /** The files of a kind, the last used first. */
    List<Stored> list(Kind kind) throws IOException {
        List<Stored> files = new ArrayList<>();
        for (Path entry : entries()) {
            if (kind.isFileName(entry.getFileName().toString())) {
                try {
                    BasicFileAttributes it =
                        Files.readAttributes(entry, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                    files.add(new Stored(entry, it.size(), it.lastModifiedTime().toInstant()));
                } catch (NoSuchFileException gone) {
                    // Another process was faster.
                }
            }
        }
        files.sort(Comparator.comparing(Stored::used).reversed().thenComparing(Stored::file));
        return files;
    }

    /** Deletes the files of a kind that were not used for longest, until the rest fits; never {@code spared}. */
    void shrink(Kind kind, long maxBytes, Path spared) throws IOException {
        List<Stored> files = list(kind);
        long bytes = files.stream().mapToLong(Stored::bytes).sum();
        for (Stored oldest : files.reversed()) {
            if (bytes > maxBytes && !oldest.file().equals(spared)) {
                Files.deleteIfExists(oldest.file());
                bytes -= oldest.bytes();
            }
        }
    }

    private List<Path> entries() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList();
        } catch (NoSuchFileException absent) {
            return List.of();
        }
    }
}
