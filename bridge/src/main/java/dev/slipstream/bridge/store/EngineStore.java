package dev.slipstream.bridge.store;

import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.Uninterrupted;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.bridge.store.StoreFolder.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiled engines in a folder, found by what they were built from.
 *
 * <pre>{@code
 * EngineStore store = EngineStore.ofUser();
 * EngineKey key = store.key(source, Map.of(EngineKey.COMPILER, "TensorRT 10.15.1", EngineKey.GPU, "NVIDIA H200",
 *     EngineKey.ARCHITECTURE, "sm_90"));
 * try (Arena arena = Arena.ofConfined()) {
 *     MemorySegment bytes = store.getOrBuild(key, arena, () -> compile(source, arena));
 * }
 * }</pre>
 *
 * <p><b>Threads:</b> any, of any number of processes. <b>Failures:</b> a folder that cannot be read or written is no
 * error: engines are then built each time, and the log says so once.
 */
public final class EngineStore {
    /** System property that names the folder. */
    public static final String FOLDER_PROPERTY = "slipstream.engines";
    /** Environment variable that names the folder, if the property does not. */
    public static final String FOLDER_VARIABLE = "SLIPSTREAM_ENGINES";
    /**
     * From how many bytes of weight files on engines of CPUs are kept, and share memory; others are built in no time:
     * 64 MiB.
     */
    public static final long WORTH_BYTES_OF_CPU = 64L << 20;
    /** The bound if none is given: 20 GiB. */
    public static final long DEFAULT_MAX_BYTES = 20L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(EngineStore.class);

    private final StoreFolder folder;
    private final long maxBytes;
    private final Set<String> said = ConcurrentHashMap.newKeySet();

    /**
     * Neither reads nor writes yet; the folder is made when it is needed.
     *
     * @param maxBytes how much all engines may take. When it is more, those that were not used for longest go, but
     *     never the one that was just made. An engine that is larger by itself is used and not kept.
     */
    public EngineStore(Path folder, long maxBytes) {
        if (maxBytes < 0) {
            throw new IllegalArgumentException("an engine store cannot be bound to " + maxBytes + " bytes");
        }
        this.folder = new StoreFolder(folder);
        this.maxBytes = maxBytes;
    }

    /** The user's store: {@link #defaultFolder} with {@link #DEFAULT_MAX_BYTES}. */
    public static EngineStore ofUser() {
        return new EngineStore(defaultFolder(), DEFAULT_MAX_BYTES);
    }

    /**
     * What {@value #FOLDER_PROPERTY} or {@value #FOLDER_VARIABLE} say, else {@code engines} in the user's cache:
     * {@code ~/.cache/slipstream/engines} where {@code XDG_CACHE_HOME} is not set.
     */
    public static Path defaultFolder() {
        return Optional.ofNullable(System.getProperty(FOLDER_PROPERTY))
            .or(() -> Optional.ofNullable(System.getenv(FOLDER_VARIABLE)))
            .filter(path -> !path.isBlank()).map(Path::of).orElseGet(() -> UserCache.folder().resolve("engines"));
    }

    public Path folder() {
        return folder.path();
    }

    public long maxBytes() {
        return maxBytes;
    }

    /** As {@link EngineKey#of}, but remembers the digests of large weight files for the next time. */
    public EngineKey key(EngineSource source, Map<String, String> target) {
        return EngineKey.of(source, target, DigestMemory.ofDigests(folder));
    }

    /** The same with sums of 64 bits for weight files, where a digest would take longer than the engine. */
    public EngineKey quickKey(EngineSource source, Map<String, String> target) {
        return EngineKey.of(source, target, DigestMemory.ofSums(folder));
    }

    /**
     * The engine from the store, or else built, and kept for the next time. While one thread builds, others that want
     * the same engine wait for it, in this and all other processes; if building fails for one, the next tries.
     *
     * @param arena how long the result lives
     * @param build makes the engine. Its bytes must live as long as {@code arena}, as they are the result where the
     *     store cannot keep them.
     * @return the engine's bytes, read-only; mapped from the store's file, which may be deleted meanwhile
     */
    public MemorySegment getOrBuild(EngineKey key, Arena arena, Supplier<MemorySegment> build) {
        Optional<MemorySegment> ready = find(key, Kind.ENGINE, arena, false);
        if (ready.isPresent()) {
            return ready.get();
        }
        Optional<KeyLock> lock = lock(key, Kind.ENGINE);
        try {
            // While this thread waited, another may have built it.
            ready = find(key, Kind.ENGINE, arena, lock.isPresent());
            if (ready.isPresent()) {
                return ready.get();
            }
            MemorySegment built = build.get();
            if (built.byteSize() == 0) {
                throw new IllegalStateException("building engine " + key.name() + " gave no bytes");
            }
            Optional<MemorySegment> kept = lock.isPresent() ? keep(key, built, arena) : Optional.empty();
            return kept.orElse(built.asReadOnly());
        } finally {
            lock.ifPresent(this::release);
        }
    }

    /**
     * The same for an engine that maps its weights, and so exists in the store only.
     *
     * @return empty if the store cannot keep it
     */
    public Optional<MappedEngine> getOrBuild(EngineKey key, Arena arena, MappedEngine.Build build) {
        Optional<MappedEngine> ready = findMapped(key, arena, false);
        if (ready.isPresent()) {
            return ready;
        }
        Optional<KeyLock> lock = lock(key, Kind.ENGINE);
        if (lock.isEmpty()) {
            return Optional.empty();
        }
        try {
            ready = findMapped(key, arena, true);
            return ready.isPresent() ? ready : keep(key, build, arena);
        } finally {
            lock.ifPresent(this::release);
        }
    }

    /** Forgets an engine that its runtime refuses. */
    public void discard(EngineKey key, String why) {
        discard(key, new DamagedFileException(why));
    }

    private Optional<MappedEngine> findMapped(EngineKey key, Arena arena, boolean mine) {
        Optional<MemorySegment> stored = find(key, Kind.ENGINE, arena, mine);
        if (stored.isEmpty()) {
            return Optional.empty();
        }
        Path weights = folder.file(key.id(), Kind.WEIGHTS);
        try {
            String sum = stored.get().getString(0);
            if (DigestMemory.ofWrittenSums(folder).of(weights).equals(sum)) {
                return Optional.of(new MappedEngine(stored.get().asSlice(sum.length() + 1L), weights));
            }
            if (mine) {
                discard(key, new DamagedFileException("the sum of its weights is wrong"));
            }
        } catch (IOException | IndexOutOfBoundsException unreadable) {
            if (mine) {
                discard(key, new DamagedFileException("its weights cannot be read: " + unreadable.getMessage()));
            }
        }
        return Optional.empty();
    }

    private Optional<MappedEngine> keep(EngineKey key, MappedEngine.Build build, Arena arena) {
        try {
            folder.sweep();
            Path work = folder.workFolder(key, Kind.ENGINE);
            try {
                Path made = work.resolve(Kind.WEIGHTS.fileName(key.id()));
                MemorySegment engine = build.into(made);
                if (fits(key, Files.size(made) + engine.byteSize())) {
                    String sum = DigestMemory.ofWrittenSums(folder).of(folder.moveWeights(key, made));
                    MemorySegment both = Arena.ofAuto().allocate(sum.length() + 1 + engine.byteSize());
                    both.setString(0, sum);
                    both.asSlice(sum.length() + 1L).copyFrom(engine);
                    folder.write(new Label(key, Instant.now()), Kind.ENGINE, both);
                    folder.shrinkEngines(maxBytes, key);
                }
            } finally {
                StoreFolder.deleteAll(work);
            }
        } catch (IOException failed) {
            say("cannot keep engine " + key.name(), failed);
        }
        return findMapped(key, arena, true);
    }

    private boolean fits(EngineKey key, long bytes) {
        if (bytes > maxBytes) {
            LOG.warn("engine store: {} has {} bytes, more than the {} that {} may hold, so it is not kept", key.name(),
                bytes, maxBytes, folder.path());
        }
        return bytes <= maxBytes;
    }

    /**
     * What a compiler remembers of its measurements, so that it builds other engines faster.
     *
     * @param compilerAndGpu whose, for example {@code TensorRT 10.15.1, NVIDIA H200}
     */
    public Optional<MemorySegment> timingCache(String compilerAndGpu, Arena arena) {
        return find(timingKey(compilerAndGpu), Kind.TIMING, arena, true);
    }

    /** Replaces it. The last one wins. */
    public void storeTimingCache(String compilerAndGpu, MemorySegment cache) {
        EngineKey key = timingKey(compilerAndGpu);
        lock(key, Kind.TIMING).ifPresent(lock -> {
            try {
                folder.write(new Label(key, Instant.now()), Kind.TIMING, cache);
            } catch (IOException failed) {
                say("cannot keep the timing cache of " + compilerAndGpu, failed);
            } finally {
                release(lock);
            }
        });
    }

    private static EngineKey timingKey(String compilerAndGpu) {
        return new EngineKey("timing cache", Map.of("of", compilerAndGpu));
    }

    /** @param mine whether the caller has the right to the file, and may delete it if it is damaged */
    private Optional<MemorySegment> find(EngineKey key, Kind kind, Arena arena, boolean mine) {
        try {
            return folder.read(key, kind, arena);
        } catch (DamagedFileException damaged) {
            if (mine) {
                discard(folder.file(key.id(), kind), damaged);
            }
        } catch (IOException unreadable) {
            say("cannot read " + folder.file(key.id(), kind), unreadable);
        }
        return Optional.empty();
    }

    private void discard(EngineKey key, DamagedFileException damaged) {
        discard(folder.file(key.id(), Kind.WEIGHTS), damaged);
        discard(folder.file(key.id(), Kind.ENGINE), damaged);
    }

    private void discard(Path file, DamagedFileException damaged) {
        try {
            if (!Files.deleteIfExists(file)) {
                return;
            }
            LOG.warn("engine store: {} was damaged and is deleted: {}", file, damaged.getMessage());
        } catch (IOException undeletable) {
            say(file + " is damaged (" + damaged.getMessage() + ") and cannot be deleted", undeletable);
        }
    }

    private Optional<KeyLock> lock(EngineKey key, Kind kind) {
        try {
            return Optional.of(folder.lock(key, kind));
        } catch (IOException unwritable) {
            say("cannot write into " + folder.path() + ", so engines are built each time", unwritable);
            return Optional.empty();
        }
    }

    private void release(KeyLock lock) {
        try {
            lock.close();
        } catch (IOException failed) {
            say("cannot give back a lock in " + folder.path(), failed);
        }
    }

    private Optional<MemorySegment> keep(EngineKey key, MemorySegment built, Arena arena) {
        Label label = new Label(key, Instant.now());
        if (!fits(key, StoredFile.size(label, built.byteSize()))) {
            return Optional.empty();
        }
        try {
            folder.write(label, Kind.ENGINE, built);
            folder.shrinkEngines(maxBytes, key);
        } catch (IOException failed) {
            say("cannot keep engine " + key.name(), failed);
        }
        // What was written is checked like what others will read.
        return find(key, Kind.ENGINE, arena, true);
    }

    /** Logs a warning, once in the life of this store. */
    private void say(String what, IOException why) {
        String line = what + ": " + FileFailure.reason(why);
        if (said.add(line)) {
            LOG.warn("engine store: {}", line);
        }
    }

    /**
     * The engines, the last used first. Files that are none are left out.
     *
     * @throws UncheckedIOException if the folder is there and cannot be read
     */
    public List<EngineEntry> list() {
        List<EngineEntry> entries = new ArrayList<>();
        for (StoreFolder.Stored stored : listed(folder::engines)) {
            try {
                Label label = Uninterrupted.io(() -> StoredFile.label(stored.file()));
                if (label.key().id().equals(stored.id())) {
                    entries.add(new EngineEntry(stored.id(), label.key().name(), label.key().parts(), stored.bytes(),
                        stored.used(), label.created()));
                }
            } catch (IOException noEngine) {
                LOG.debug("engine store: {} is left out: {}", stored.file(), noEngine.getMessage());
            }
        }
        return entries;
    }

    private List<StoreFolder.Stored> listed(Uninterrupted.Work<List<StoreFolder.Stored>> listing) {
        try {
            return listing.run();
        } catch (IOException unreadable) {
            throw cannotRead(unreadable);
        }
    }

    private UncheckedIOException cannotRead(IOException why) {
        return new UncheckedIOException("cannot read the engine store " + folder.path() + ": "
            + FileFailure.reason(why), why);
    }

    /**
     * Deletes an engine. Where it is in use, it stays usable until it is closed.
     *
     * @return whether it was there
     * @throws UncheckedIOException if it cannot be deleted
     */
    public boolean remove(String id) {
        if (!Kind.ENGINE.isFileName(Kind.ENGINE.fileName(id))) {
            throw new IllegalArgumentException("'" + id + "' is not the id of an engine, which has 64 hex digits");
        }
        boolean there = delete(folder.file(id, Kind.ENGINE));
        delete(folder.file(id, Kind.WEIGHTS));
        return there;
    }

    private static boolean delete(Path file) {
        try {
            return Files.deleteIfExists(file);
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot delete " + file + ": " + FileFailure.reason(failed), failed);
        }
    }

    /**
     * Deletes all that the store has made: engines, timing caches, digests, and what dead writers left. Other files in
     * the folder, and all that links point to, stay. What is being written meanwhile may stay, too.
     *
     * @return bytes that were freed
     * @throws UncheckedIOException if something cannot be deleted
     */
    public long clear() {
        long freed = 0;
        for (Kind kind : Kind.values()) {
            for (StoreFolder.Stored stored : listed(() -> folder.list(kind))) {
                freed += delete(stored.file()) ? stored.bytes() : 0;
            }
        }
        try {
            folder.sweep();
        } catch (IOException unreadable) {
            throw cannotRead(unreadable);
        }
        return freed;
    }
}
