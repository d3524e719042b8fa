package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.CheckedFile;
import dev.slipstream.bridge.file.FileFailure;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.pipelines.cache.Answer.Hit;
import dev.slipstream.pipelines.cache.Answer.Miss;
import dev.slipstream.pipelines.cache.Answer.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Latents of drawn pictures in a folder, for requests that say nearly the same.
 *
 * <pre>{@code
 * try (LatentCache cache = new LatentCache(LatentCache.defaultFolder(), LatentCache.DEFAULT_MAX_BYTES)) {
 *     Mark mark = cache.mark(prompt, seed);
 *     switch (cache.lookup(Query.of(key, mark, conditioning, thresholds, costs))) {
 *         case Answer.Hit hit -> { // begin with hit.latents() at hit.step(); when that is done:
 *             cache.served(hit, hit.step() * stepSeconds);
 *         }
 *         case Answer.Miss miss -> { // draw all steps, with some latents copied aside; then, on another thread:
 *             cache.put(Entry.of(key, mark, conditioning, latents, stepSeconds));
 *         }
 *     }
 * }
 * }</pre>
 *
 * <p><b>Threads:</b> any, of any number of processes. <b>Failures:</b> a folder that cannot be read or written is no
 * error of a request: nothing is found or kept then, and the log says so once. What people ask for, as {@link #list}
 * and {@link #clear}, throws {@link UncheckedIOException}.
 */
public final class LatentCache implements LatentStore {
    /** The bound if none is given: 10 GiB. */
    public static final long DEFAULT_MAX_BYTES = 10L << 30;

    private static final Logger LOG = LoggerFactory.getLogger(LatentCache.class);
    private static final CheckedFile SALT = new CheckedFile(0x0a1a_0a0d_5453_4c89L, 1, "the salt of a cache");
    private static final String SALT_NAME = "salt";
    private static final Pattern SHELF = Pattern.compile("[0-9a-f]{32}");

    private final Path folder;
    private final long maxBytes;
    private final int worthAGraph;
    private final Vocabulary vocabulary = Vocabulary.english();
    private final Map<Path, Shelf> shelves = new ConcurrentHashMap<>();
    private final Set<String> said = ConcurrentHashMap.newKeySet();
    /** One thread as long as the cache is open, for which graphs keep what they need to grow. */
    private final ThreadPoolExecutor builder = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS,
        new LinkedBlockingQueue<>(), Thread.ofPlatform().daemon().name("slipstream cache").factory(),
        new ThreadPoolExecutor.DiscardPolicy());
    private final Salt salt;

    /**
     * Makes the folder if need be, for this user alone where the system knows such rights.
     *
     * @param maxBytes how much all entries may take; when it is more, those go that save least for their bytes
     */
    public LatentCache(Path folder, long maxBytes) {
        this(folder, maxBytes, Neighbours.WORTH_A_GRAPH);
    }

    /** @param worthAGraph from so many entries of a key on their neighbours are found by a graph */
    LatentCache(Path folder, long maxBytes, int worthAGraph) {
        if (maxBytes < 0) {
            throw new IllegalArgumentException("a cache of latents cannot be bound to " + maxBytes + " bytes");
        }
        this.folder = folder.toAbsolutePath().normalize();
        this.maxBytes = maxBytes;
        this.worthAGraph = worthAGraph;
        this.salt = new Salt(readOrMakeSalt());
    }

    /** {@code latents} in the user's cache: {@code ~/.cache/slipstream/latents} on Linux. */
    public static Path defaultFolder() {
        return UserCache.folder().resolve("latents");
    }

    private byte[] readOrMakeSalt() {
        byte[] made = Salt.random();
        try {
            if (Files.notExists(folder)) {
                Files.createDirectories(folder, ownersOnly());
            }
            Path file = folder.resolve(SALT_NAME);
            Optional<byte[]> kept = readSalt(file);
            if (kept.isPresent()) {
                return kept.get();
            }
            try (KeyLock _ = KeyLock.acquire(file)) {
                kept = readSalt(file);
                if (kept.isPresent()) {
                    return kept.get();
                }
                AtomicFile.write(file, channel -> SALT.write(channel, new byte[0], MemorySegment.ofArray(made)));
            }
        } catch (IOException unwritable) {
            say("cannot be used, so nothing is kept", unwritable);
        }
        return made;
    }

    /** Empty also if it is damaged: what was kept with it is never found again, and goes in time. */
    private static Optional<byte[]> readSalt(Path file) {
        try {
            ByteBuffer payload = SALT.read(file, 1 << 16).payload();
            byte[] bytes = new byte[payload.remaining()];
            payload.get(bytes);
            return Optional.of(bytes).filter(it -> it.length == Salt.BYTES);
        } catch (IOException absentOrDamaged) {
            return Optional.empty();
        }
    }

    private FileAttribute<?>[] ownersOnly() {
        FileAttribute<?> rights = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        return folder.getFileSystem().supportedFileAttributeViews().contains("posix")
            ? new FileAttribute<?>[] {rights} : new FileAttribute<?>[0];
    }

    public Path folder() {
        return folder;
    }

    public long maxBytes() {
        return maxBytes;
    }

    @Override
    public Mark mark(String prompt, long seed) {
        return Mark.of(prompt, seed, vocabulary, salt);
    }

    @Override
    public String hash(String text) {
        return salt.hash(text);
    }

    /** Whether something serves a request. Reads a few files at most; changes nothing but what is damaged. */
    @Override
    public Answer lookup(Query query) {
        try {
            return query.ask(shelf(query.key()));
        } catch (IOException unreadable) {
            say("cannot be read", unreadable);
            return new Miss(Reason.UNREADABLE);
        }
    }

    /** Notes that a hit was used, which keeps its source from being evicted. @param seconds that were saved */
    @Override
    public void served(Hit hit, double seconds) {
        try {
            shelf(hit.key()).served(hit.source(), seconds, clock());
        } catch (IOException unwritable) {
            say("cannot be written", unwritable);
        }
    }

    /**
     * Keeps an entry, and evicts others if need be. Writes to disk, so not for the thread of a loop.
     *
     * @return whether it was not there yet, and is now
     */
    @Override
    public boolean put(Entry entry) {
        if (entry.bytes() > maxBytes) {
            say("keeps no picture whose latents have " + entry.bytes() + " bytes, as it may hold " + maxBytes);
            return false;
        }
        try {
            boolean added = shelf(entry.key()).add(entry, clock());
            if (added) {
                shrink(entry.id());
            }
            return added;
        } catch (IOException unwritable) {
            say("cannot be written", unwritable);
            return false;
        }
    }

    private Shelf shelf(CacheKey key) {
        return shelf(folder.resolve(key.namespace()), key.id());
    }

    private Shelf shelf(Path namespace, String id) {
        return shelves.computeIfAbsent(namespace.resolve(id), it -> new Shelf(namespace, id, worthAGraph, builder));
    }

    private double clock() {
        return shelves.values().stream().mapToDouble(Shelf::clock).max().orElse(0);
    }

    /** Evicts what is worth least, but never what was just made. */
    private void shrink(String spared) throws IOException {
        record Victim(Shelf shelf, Catalogue.Item item) {
        }
        Collection<Shelf> all = all(namespace -> true);
        if (bytes(all) <= maxBytes) {
            return;
        }
        List<Victim> victims = new ArrayList<>();
        for (Shelf shelf : all) {
            shelf.items().forEach(item -> victims.add(new Victim(shelf, item)));
        }
        victims.sort(Comparator.<Victim>comparingDouble(victim -> victim.item.usage().worth())
            .thenComparing(victim -> victim.item.usage().last()));
        for (Victim victim : victims) {
            if (!victim.item.card().id().equals(spared) && bytes(all) > maxBytes) {
                victim.shelf.drop(victim.item.card().id(), victim.item.usage().worth());
            }
        }
    }

    private static long bytes(Collection<Shelf> all) throws IOException {
        long bytes = 0;
        for (Shelf shelf : all) {
            bytes += shelf.bytes();
        }
        return bytes;
    }

    /** All shelves of some namespaces, also those that other processes have made. */
    private Collection<Shelf> all(Predicate<String> wanted) throws IOException {
        List<Shelf> all = new ArrayList<>();
        for (Path namespace : folders(folder)) {
            String name = name(namespace);
            if (CacheKey.isNamespace(name) && wanted.test(name)) {
                for (Path place : folders(namespace)) {
                    if (SHELF.matcher(name(place)).matches()) {
                        all.add(shelf(namespace, name(place)));
                    }
                }
            }
        }
        return all;
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    private static List<Path> folders(Path parent) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent,
            entry -> Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS))) {
            folders.forEach(found::add);
        } catch (NoSuchFileException | NotDirectoryException gone) {
            // Another process has cleared it.
        }
        return found;
    }

    /** All entries, the last used first. @throws UncheckedIOException if the folder cannot be read */
    public List<CachedEntry> list() {
        return asked(() -> {
            List<CachedEntry> entries = new ArrayList<>();
            for (Shelf shelf : all(namespace -> true)) {
                for (Catalogue.Item item : shelf.items()) {
                    shelf.describe(item).ifPresent(entries::add);
                }
            }
            entries.sort(Comparator.comparing(CachedEntry::lastUsed).reversed().thenComparing(CachedEntry::id));
            return entries;
        });
    }

    /** What a namespace has, and what it was good for. */
    public record Stats(int entries, long bytes, long hits, double savedSeconds) {
        private Stats and(Catalogue.Item item) {
            return new Stats(entries + 1, bytes + item.bytes(), hits + item.usage().hits(),
                savedSeconds + item.usage().saved());
        }
    }

    /** By namespace; what evicted entries have saved is forgotten. @throws UncheckedIOException as {@link #list} */
    public Map<String, Stats> stats() {
        return asked(() -> {
            Map<String, Stats> stats = new HashMap<>();
            for (Shelf shelf : all(namespace -> true)) {
                for (Catalogue.Item item : shelf.items()) {
                    stats.merge(shelf.namespace(), new Stats(0, 0, 0, 0).and(item), (all, one) -> all.and(item));
                }
            }
            return stats;
        });
    }

    /** What {@link #verify} has found. @param damaged entries, which are gone now */
    public record Verification(int whole, int damaged) {
    }

    /** Reads all entries; deletes the damaged ones. @throws UncheckedIOException as {@link #list} */
    public Verification verify() {
        return asked(() -> {
            int whole = 0;
            int damaged = 0;
            for (Shelf shelf : all(namespace -> true)) {
                int[] counts = shelf.verify();
                whole += counts[0];
                damaged += counts[1];
            }
            return new Verification(whole, damaged);
        });
    }

    /**
     * Deletes all that is kept in a namespace, down to its folder.
     *
     * @return bytes that were freed
     * @throws UncheckedIOException if something cannot be deleted
     */
    public long clear(String namespace) {
        CacheKey.checkNamespace(namespace);
        return asked(() -> {
            long freed = 0;
            for (Shelf shelf : all(namespace::equals)) {
                freed += shelf.clear();
            }
            try {
                Files.deleteIfExists(folder.resolve(namespace));
            } catch (DirectoryNotEmptyException written) {
                // By another process, meanwhile; or it is something that we have not made.
            }
            return freed;
        });
    }

    /** The same for all namespaces. */
    public long clear() {
        return asked(() -> {
            long freed = 0;
            for (Path namespace : folders(folder)) {
                String name = name(namespace);
                freed += CacheKey.isNamespace(name) ? clear(name) : 0;
            }
            return freed;
        });
    }

    private interface Work<T> {
        T run() throws IOException;
    }

    private <T> T asked(Work<T> work) {
        try {
            return work.run();
        } catch (IOException failed) {
            throw new UncheckedIOException("latent cache " + folder + ": " + FileFailure.reason(failed), failed);
        }
    }

    private void say(String what, IOException why) {
        say(what + ": " + FileFailure.reason(why));
    }

    /** Logs a warning, once in the life of this object. */
    private void say(String what) {
        if (said.add(what)) {
            LOG.warn("latent cache: {} {}", folder, what);
        }
    }

    /** Stops what goes on in the background, and waits for a file that is being written. */
    @Override
    public void close() {
        shelves.values().forEach(Shelf::close);
        builder.close();
    }
}
