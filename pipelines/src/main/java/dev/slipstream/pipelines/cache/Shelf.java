package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.pipelines.cache.Catalogue.Item;
import dev.slipstream.pipelines.cache.EntryFile.Described;
import dev.slipstream.pipelines.cache.EntryFile.Kept;
import dev.slipstream.pipelines.cache.IndexFile.Added;
import dev.slipstream.pipelines.cache.IndexFile.Change;
import dev.slipstream.pipelines.cache.IndexFile.Dropped;
import dev.slipstream.pipelines.cache.IndexFile.Used;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The entries of one key: a folder with a file for each and an index, and what this process has read of that. The
 * entries are what counts; where the index says something else, it is made anew.
 *
 * <p>Any thread of any process. Who changes files holds the folder's {@link KeyLock}, and only then this object's
 * monitor, which guards the catalogue.
 */
final class Shelf {
    private static final Logger LOG = LoggerFactory.getLogger(LatentCache.class);
    private static final Pattern ENTRY = Pattern.compile("[0-9a-f]{32}" + Pattern.quote(EntryFile.ENDING));
    private static final int TRIES = 3;

    private final Path namespace;
    private final String key;
    private final Path folder;
    private final Catalogue catalogue;
    private boolean compared;
    private boolean swept;

    /**
     * @param namespace its folder
     * @param key its {@link CacheKey#id}
     * @param worthAGraph see {@link Neighbours}
     * @param builder likewise
     */
    Shelf(Path namespace, String key, int worthAGraph, Executor builder) {
        this.namespace = namespace;
        this.key = key;
        this.folder = namespace.resolve(key);
        this.catalogue = new Catalogue(folder,
            generation -> new Neighbours(worthAGraph, builder,
                Optional.of(new NeighbourFile(folder, generation, this::lock))));
    }

    String namespace() {
        return String.valueOf(namespace.getFileName());
    }

    /** What is known, after a look at what others have changed. */
    Collection<Item> items() throws IOException {
        refresh();
        synchronized (this) {
            return catalogue.items();
        }
    }

    /** Of all files. */
    long bytes() throws IOException {
        refresh();
        synchronized (this) {
            return catalogue.bytes() + graph().toFile().length();
        }
    }

    private Path graph() {
        return folder.resolve(NeighbourFile.NAME);
    }

    /** The highest worth that was evicted. */
    synchronized double clock() {
        return catalogue.clock();
    }

    /** See {@link Catalogue#near}. */
    Collection<Card> near(float[] vector, Wording wording, int most, Predicate<Card> wanted) throws IOException {
        refresh();
        synchronized (this) {
            return catalogue.near(vector, wording, most, wanted);
        }
    }

    /** Stops what goes on for it on other threads. */
    synchronized void close() {
        catalogue.close();
    }

    private void refresh() throws IOException {
        boolean right;
        synchronized (this) {
            boolean whole = catalogue.refresh();
            // Once, as it takes long; who writes afterwards keeps the two together.
            right = compared || whole && names().equals(catalogue.ids()) || Files.notExists(folder);
            compared |= whole && right;
        }
        if (!right) {
            try (KeyLock _ = lock()) {
                recover();
            } catch (AccessDeniedException | ReadOnlyFileSystemException readOnly) {
                compared = true;
            }
        }
    }

    /** Makes index and memory what the files say; the caller has the lock. */
    private synchronized void recover() throws IOException {
        sweep();
        catalogue.refresh();
        Set<String> there = names();
        List<Added> entries = new ArrayList<>();
        for (Item item : catalogue.items()) {
            if (there.remove(item.card().id())) {
                entries.add(new Added(item.card(), item.bytes(), item.usage()));
            }
        }
        for (String each : there) {
            Path file = file(each);
            mended(file).ifPresent(kept -> entries.add(added(kept.card(), file.toFile().length(), clock())));
        }
        Files.deleteIfExists(graph());
        catalogue.rewrite(entries);
        compared = true;
    }

    private static Added added(Card card, long bytes, double clock) {
        return new Added(card, bytes, Usage.ofNew(card, bytes, clock, Instant.now()));
    }

    /** Ids of the entries that are there. */
    private Set<String> names() throws IOException {
        Set<String> names = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (ENTRY.matcher(name).matches()) {
                    names.add(name.substring(0, name.length() - EntryFile.ENDING.length()));
                }
            }
        } catch (NoSuchFileException | NotDirectoryException none) {
            // Nothing was kept yet, or what was is cleared.
        }
        return names;
    }

    private Path file(String id) {
        return folder.resolve(EntryFile.name(id));
    }

    /** Waits for the right to change files, and makes the folder if need be. */
    private KeyLock lock() throws IOException {
        for (int left = TRIES; ; left--) {
            try {
                Files.createDirectories(namespace);
                KeyLock lock = KeyLock.acquire(folder);
                try {
                    Files.createDirectories(folder);
                    return lock;
                } catch (IOException failed) {
                    lock.close();
                    throw failed;
                }
            } catch (NoSuchFileException cleared) {
                if (left == 1) {
                    throw cleared;
                }
            }
        }
    }

    /** Deletes what dead writers have left; the caller has the lock, so that there are no living ones. */
    private void sweep() throws IOException {
        try (DirectoryStream<Path> rests = Files.newDirectoryStream(folder, ".*.tmp")) {
            for (Path rest : rests) {
                if (AtomicFile.targetOf(rest).isPresent()) {
                    Files.deleteIfExists(rest);
                }
            }
        }
    }

    /** Reads an entry that the index names; empty, and forgotten, if it is gone or damaged. */
    Optional<Kept> read(String id) throws IOException {
        try {
            return Optional.of(whole(file(id)));
        } catch (NoSuchFileException | DamagedFileException useless) {
            forget(id);
            return Optional.empty();
        }
    }

    /** What people are told of an entry; empty if it is gone or cannot be read. */
    Optional<CachedEntry> describe(Item item) {
        try {
            Described said = EntryFile.describe(file(item.card().id()));
            return Optional.of(new CachedEntry(said.key().namespace(), item.card().id(), said.key().facts(),
                said.prompt(), item.card().depths(), item.bytes(), item.usage().hits(), item.usage().saved(),
                item.card().created(), item.usage().last()));
        } catch (IOException goneOrDamaged) {
            return Optional.empty();
        }
    }

    private Kept whole(Path file) throws IOException {
        Kept kept = EntryFile.read(file);
        if (!key.equals(kept.entry().key().id())) {
            throw new DamagedFileException("it is of another key");
        }
        return kept;
    }

    /** Deletes a file that is damaged; the caller has the lock, so that it is not one that was just written. */
    private Optional<Kept> mended(Path file) throws IOException {
        try {
            return Optional.of(whole(file));
        } catch (NoSuchFileException gone) {
            return Optional.empty();
        } catch (DamagedFileException damaged) {
            LOG.warn("latent cache: {} was damaged and is deleted: {}", file, damaged.getMessage());
            Files.deleteIfExists(file);
            return Optional.empty();
        }
    }

    private void forget(String id) throws IOException {
        if (Files.exists(folder)) {
            try (KeyLock _ = lock()) {
                if (mended(file(id)).isEmpty()) {
                    change(item -> item.map(it -> new Dropped(id, clock())), id);
                    deleteIfEmpty();
                }
            }
        }
    }

    /** Keeps an entry. @return whether it was not there yet */
    boolean add(Entry entry, double newClock) throws IOException {
        try (KeyLock _ = lock()) {
            if (!swept) {
                sweep();
                swept = true;
            }
            Path file = file(entry.id());
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                return false;
            }
            Card card = Card.of(entry, Instant.now());
            Added added = added(card, EntryFile.write(file, entry, card), newClock);
            change(item -> Optional.of(added), card.id());
            return true;
        }
    }

    /** Notes that an entry has served. */
    void served(String id, double seconds, double newClock) throws IOException {
        if (Files.exists(file(id))) {
            try (KeyLock _ = lock()) {
                change(item -> item.map(it -> new Used(id,
                    it.usage().served(it.card(), it.bytes(), seconds, newClock, Instant.now()))), id);
            }
        }
    }

    /** Forgets an entry. @param newClock see {@link Usage} */
    void drop(String id, double newClock) throws IOException {
        if (Files.exists(folder)) {
            try (KeyLock _ = lock()) {
                Files.deleteIfExists(file(id));
                change(item -> item.map(it -> new Dropped(id, newClock)), id);
                deleteIfEmpty();
            }
        }
    }

    /** Writes a change down that depends on what is known of an entry, and reads it. */
    private synchronized void change(Function<Optional<Item>, Optional<? extends Change>> change, String id)
            throws IOException {
        if (!catalogue.refresh() || catalogue.isWordy()) {
            recover();
        }
        Optional<? extends Change> made = change.apply(catalogue.item(id));
        if (made.isPresent()) {
            catalogue.append(made.get());
        }
    }

    /** Keys that nobody draws with any more leave no folder. */
    private synchronized void deleteIfEmpty() throws IOException {
        if (catalogue.ids().isEmpty() && names().isEmpty()) {
            deleteFolder();
        }
    }

    private void deleteFolder() throws IOException {
        Files.deleteIfExists(folder.resolve(IndexFile.NAME));
        Files.deleteIfExists(graph());
        try {
            Files.deleteIfExists(folder);
        } catch (DirectoryNotEmptyException notOurs) {
            // Somebody has put something else there.
        }
        catalogue.refresh();
    }

    /** Deletes all entries. @return their bytes */
    long clear() throws IOException {
        if (Files.notExists(folder)) {
            return 0;
        }
        try (KeyLock _ = lock()) {
            synchronized (this) {
                sweep();
                long freed = 0;
                for (String id : names()) {
                    freed += file(id).toFile().length();
                    Files.deleteIfExists(file(id));
                }
                deleteFolder();
                return freed;
            }
        }
    }

    /** Reads all entries. @return those that were whole, and those that were damaged and are gone */
    int[] verify() throws IOException {
        if (Files.notExists(folder)) {
            return new int[2];
        }
        try (KeyLock _ = lock()) {
            sweep();
            int whole = 0;
            Set<String> all = names();
            for (String id : all) {
                whole += mended(file(id)).isPresent() ? 1 : 0;
            }
            synchronized (this) {
                if (!catalogue.refresh() || !names().equals(catalogue.ids())) {
                    recover();
                }
            }
            deleteIfEmpty();
            return new int[] {whole, all.size() - whole};
        }
    }
}
