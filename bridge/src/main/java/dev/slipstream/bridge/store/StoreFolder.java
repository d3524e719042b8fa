package dev.slipstream.bridge.store;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.Uninterrupted;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The files of a store. Any thread of any process may use it at any time; only writing needs a lock. */
final class StoreFolder {
    /** What a stored file is for. */
    enum Kind {
        /** A compiled engine. */
        ENGINE,
        /** Weights that an engine maps; it goes with the engine of the same id. */
        WEIGHTS,
        /** What a compiler remembers of its measurements. */
        TIMING,
        /** The digest of a large weight file. */
        DIGEST;

        private final String ending = "." + name().toLowerCase(Locale.ROOT);
        private final Pattern file = Pattern.compile("[0-9a-f]{64}" + Pattern.quote(ending));

        String fileName(String id) {
            return id + ending;
        }

        boolean isFileName(String name) {
            return file.matcher(name).matches();
        }
    }

    private static final String WORK = ".work";

    private final Path folder;

    StoreFolder(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    /** A file. @param used when it was written or read last: its time of modification, which all processes see */
    record Stored(Path file, long bytes, Instant used) {
        /** The name without its ending. */
        String id() {
            return idOf(file);
        }
    }

    private static String idOf(Path file) {
        String name = file.getFileName().toString();
        return name.substring(0, name.indexOf('.'));
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

    /** An empty folder for what is made before a file is there; the caller holds the file's lock. */
    Path workFolder(EngineKey key, Kind kind) throws IOException {
        Path work = Path.of(file(key.id(), kind) + WORK);
        deleteAll(work);
        return Files.createDirectory(work);
    }

    /** Deletes a file or a folder of files. */
    static void deleteAll(Path path) throws IOException {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
            }
        }
        Files.deleteIfExists(path);
    }

    /** Puts weights where the engine of the key looks for them; the caller holds the engine's lock. */
    Path moveWeights(EngineKey key, Path made) throws IOException {
        return Files.move(made, file(key.id(), Kind.WEIGHTS), StandardCopyOption.REPLACE_EXISTING);
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

    /**
     * Deletes temporary files and folders and lock files whose writers are dead: their locks are free. And weights
     * whose engine was not written any more.
     */
    void sweep() throws IOException {
        for (Path entry : entries()) {
            Optional<Path> target = AtomicFile.targetOf(entry).or(() -> KeyLock.targetOf(entry))
                .or(() -> workedFor(entry)).or(() -> missingEngine(entry));
            if (target.isPresent() && isOurs(target.get())) {
                sweep(entry, target.get());
            }
        }
    }

    private static Optional<Path> workedFor(Path folder) {
        String name = folder.getFileName().toString();
        return name.endsWith(WORK)
            ? Optional.of(folder.resolveSibling(name.substring(0, name.length() - WORK.length()))) : Optional.empty();
    }

    private Optional<Path> missingEngine(Path weights) {
        return Optional.of(weights).filter(it -> Kind.WEIGHTS.isFileName(it.getFileName().toString()))
            .map(it -> file(idOf(it), Kind.ENGINE)).filter(Files::notExists);
    }

    private static void sweep(Path rest, Path target) {
        try {
            Optional<KeyLock> lock = KeyLock.tryAcquire(target);
            if (lock.isPresent()) {
                try (KeyLock _ = lock.get()) {
                    if (!Kind.WEIGHTS.isFileName(rest.getFileName().toString()) || Files.notExists(target)) {
                        deleteAll(rest);
                    }
                }
            }
        } catch (IOException foreign) {
            // It may be another user's. It takes room and does no other harm.
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

    /** The engines, the last used first, each with the bytes of its weights. */
    List<Stored> engines() throws IOException {
        Map<String, Long> weights = list(Kind.WEIGHTS).stream().collect(Collectors.toMap(Stored::id, Stored::bytes));
        return list(Kind.ENGINE).stream().map(engine -> new Stored(engine.file(),
            engine.bytes() + weights.getOrDefault(engine.id(), 0L), engine.used())).toList();
    }

    /** Deletes an engine and its weights. @return whether it was there */
    boolean deleteEngine(String id) throws IOException {
        boolean there = Files.deleteIfExists(file(id, Kind.ENGINE));
        Files.deleteIfExists(file(id, Kind.WEIGHTS));
        return there;
    }

    /** Deletes the engines that were not used for longest, until the rest fits; never {@code spared}. */
    void shrinkEngines(long maxBytes, EngineKey spared) throws IOException {
        shrink(engines(), maxBytes, spared.id(), oldest -> deleteEngine(oldest.id()));
    }

    /** The same for files of another kind. */
    void shrink(Kind kind, long maxBytes, EngineKey spared) throws IOException {
        shrink(list(kind), maxBytes, spared.id(), oldest -> Files.deleteIfExists(oldest.file()));
    }

    private interface Deletion {
        void delete(Stored file) throws IOException;
    }

    private static void shrink(List<Stored> files, long maxBytes, String spared, Deletion deletion)
            throws IOException {
        long bytes = files.stream().mapToLong(Stored::bytes).sum();
        for (Stored oldest : files.reversed()) {
            if (bytes > maxBytes && !oldest.id().equals(spared)) {
                deletion.delete(oldest);
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
