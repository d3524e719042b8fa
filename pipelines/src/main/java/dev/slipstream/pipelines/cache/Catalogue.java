package dev.slipstream.pipelines.cache;

import dev.slipstream.pipelines.cache.IndexFile.Added;
import dev.slipstream.pipelines.cache.IndexFile.Change;
import dev.slipstream.pipelines.cache.IndexFile.Dropped;
import dev.slipstream.pipelines.cache.IndexFile.Used;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.LongFunction;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** What a shelf's index says, in the memory of this process. One thread at a time. */
final class Catalogue implements IndexFile.Reader {
    /** Records that an index may have beyond two for each entry before it is written anew. */
    private static final int SPARE_RECORDS = 8;

    private final IndexFile file;
    private final LongFunction<Neighbours> none;
    private final Map<String, Item> items = new HashMap<>();
    private final List<Item> places = new ArrayList<>();
    private final Map<Wording, Set<Integer>> saying = new HashMap<>();
    private Neighbours neighbours;
    private long entryBytes;
    private int records;
    private double clock;

    /**
     * @param folder of the shelf
     * @param none makes neighbours that have none yet, for a generation of the index
     */
    Catalogue(Path folder, LongFunction<Neighbours> none) {
        this.file = new IndexFile(folder);
        this.none = none;
        this.neighbours = none.apply(0);
    }

    /** An entry. @param place of its vector among the neighbours */
    record Item(Card card, long bytes, Usage usage, int place) {
    }

    /** Reads what is new. @return whether all of the file could be read */
    boolean refresh() throws IOException {
        return file.read(this);
    }

    /** Adds to a file of which all was read. */
    void append(Change change) throws IOException {
        file.append(change);
        refresh();
    }

    /** Writes the file anew, with these entries and the clock. */
    void rewrite(List<Added> entries) throws IOException {
        List<Change> changes = new ArrayList<>(List.of(new Dropped("", clock)));
        changes.addAll(entries);
        file.rewrite(changes);
        refresh();
    }

    /** Whether most of what is in the file counts no more. */
    boolean isWordy() {
        return records > 2 * items.size() + SPARE_RECORDS;
    }

    Set<String> ids() {
        return items.keySet();
    }

    Collection<Item> items() {
        return List.copyOf(items.values());
    }

    Optional<Item> item(String id) {
        return Optional.ofNullable(items.get(id));
    }

    /** Of the entries' files and of the index. */
    long bytes() {
        return entryBytes + file.bytes();
    }

    /** The highest worth that was evicted, see {@link Usage}. */
    double clock() {
        return clock;
    }

    /**
     * Those that are wanted and may serve: first what says the same in words, of which other things that are told in
     * much the same words must not stand in the way; then what is near by compact vectors. Of each the nearest first.
     *
     * @param most of each
     */
    Collection<Card> near(float[] vector, Wording wording, int most, Predicate<Card> wanted) {
        IntPredicate there = place -> wanted.test(places.get(place).card);
        Set<Integer> same = saying.getOrDefault(wording, Set.of());
        Collection<Card> cards = new LinkedHashSet<>();
        IntStream.concat(Arrays.stream(neighbours.nearest(vector, most, same, there)),
            Arrays.stream(neighbours.nearest(vector, most, there))).forEach(place -> cards.add(places.get(place).card));
        return cards;
    }

    /** Stops what goes on for it on other threads. */
    void close() {
        neighbours.close();
    }

    @Override
    public void restart(long generation) {
        items.clear();
        places.clear();
        saying.clear();
        neighbours.close();
        neighbours = none.apply(generation);
        entryBytes = 0;
        records = 0;
    }

    @Override
    public void read(Change change) {
        records++;
        switch (change) {
            case Added added -> items.computeIfAbsent(added.card().id(), id -> place(added));
            case Used used -> items.computeIfPresent(used.id(), (id, item) -> used(item, used.usage()));
            case Dropped dropped -> {
                clock = Math.max(clock, dropped.clock());
                Item gone = items.remove(dropped.id());
                if (gone != null) {
                    neighbours.remove(gone.place);
                    entryBytes -= gone.bytes;
                    saying.computeIfPresent(gone.card.mark().wording(), (wording, same) ->
                        same.remove(gone.place) && same.isEmpty() ? null : same);
                }
            }
        }
    }

    private Item place(Added added) {
        Item item = new Item(added.card(), added.bytes(), added.usage(), neighbours.add(added.card().vector()));
        places.add(item);
        entryBytes += item.bytes;
        saying.computeIfAbsent(item.card.mark().wording(), wording -> new LinkedHashSet<>()).add(item.place);
        return item;
    }

    private Item used(Item item, Usage usage) {
        Item now = new Item(item.card, item.bytes, usage, item.place);
        places.set(item.place, now);
        return now;
    }
}
