package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.CheckedFile;
import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.KeyLock;
import dev.slipstream.bridge.file.Uninterrupted;
import io.github.jbellis.jvector.graph.ImmutableGraphIndex.NodeAtLevel;
import io.github.jbellis.jvector.graph.NodeArray;
import io.github.jbellis.jvector.graph.NodesIterator;
import io.github.jbellis.jvector.graph.OnHeapGraphIndex;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The graph of a shelf's vectors beside its index, so that not every process builds it: a {@link CheckedFile} whose
 * label is the index's generation and how many places the graph knows, and whose payload is its links. Places mean the
 * same as long as the index has its generation. Written whole or not at all; what is missing, damaged or of another
 * generation is built again.
 *
 * <p>Any thread.
 */
final class NeighbourFile {
    static final String NAME = "graph";
    static final CheckedFile FORMAT = new CheckedFile(0x0a1a_0a0d_5247_4c89L, 1, "a graph of neighbours");

    /** More than a graph of some millions. */
    private static final int MOST_BYTES = 1 << 30;
    /** More than a graph has at any place. */
    private static final int MOST_LINKS = 64;

    private final Path folder;
    private final long generation;
    private final Lock lock;

    /** How the right to change files of the folder is got. */
    interface Lock {
        KeyLock acquire() throws IOException;
    }

    /** @param generation of the index whose places it knows */
    NeighbourFile(Path folder, long generation, Lock lock) {
        this.folder = folder;
        this.generation = generation;
        this.lock = lock;
    }

    /**
     * Who is linked to whom.
     *
     * @param entry where a search begins, in the last layer
     * @param layers the first has all places from 0 up, each other one some of those of the one before
     */
    record Links(int entry, List<Layer> layers) {
        int places() {
            return layers.getFirst().places.length;
        }

        /** Those of a graph that has some places, and does not change meanwhile. */
        static Links of(OnHeapGraphIndex graph) {
            List<Layer> layers = new ArrayList<>();
            for (int level = 0; level <= graph.entryNode().level; level++) {
                int[] places = graph.nodeStream(level).sorted().toArray();
                int[][] linked = new int[places.length][];
                for (int i = 0; i < places.length; i++) {
                    NodesIterator each = graph.getNeighborsIterator(level, places[i]);
                    linked[i] = new int[each.size()];
                    for (int at = 0; each.hasNext(); at++) {
                        linked[i][at] = each.nextInt();
                    }
                }
                layers.add(new Layer(places, linked));
            }
            return new Links(graph.entryNode().node, layers);
        }

        /** Puts them into an empty graph, in place of building it. @param nearness of two places */
        void restore(OnHeapGraphIndex graph, Nearness nearness) {
            int[] top = new int[places()];
            for (int level = 0; level < layers.size(); level++) {
                Layer layer = layers.get(level);
                for (int i = 0; i < layer.places.length; i++) {
                    NodeArray linked = new NodeArray(layer.linked[i].length);
                    for (int other : layer.linked[i]) {
                        linked.insertSorted(other, nearness.of(layer.places[i], other));
                    }
                    graph.connectNode(level, layer.places[i], linked);
                    top[layer.places[i]] = level;
                }
            }
            for (int place = 0; place < top.length; place++) {
                graph.markComplete(new NodeAtLevel(top[place], place));
            }
            graph.updateEntryNode(new NodeAtLevel(layers.size() - 1, entry));
        }
    }

    /** How near two places are to each other, more for nearer ones. */
    interface Nearness {
        float of(int place, int other);
    }

    /**
     * @param places from the least up
     * @param linked to each of them
     */
    record Layer(int[] places, int[][] linked) {
        private boolean has(int place) {
            return Arrays.binarySearch(places, place) >= 0;
        }
    }

    private Path file() {
        return folder.resolve(NAME);
    }

    /** How many places a file of a generation knows; 0 if there is no such file. */
    private static int places(Path file, long generation) throws IOException {
        try {
            ByteBuffer label = FORMAT.label(file);
            return label.remaining() == Long.BYTES + Integer.BYTES && label.getLong() == generation ? label.getInt()
                : 0;
        } catch (NoSuchFileException | DamagedFileException useless) {
            return 0;
        }
    }

    /**
     * Reads and checks all of it.
     *
     * @param known how many places the caller has read of the index
     * @return empty if another process has read more of it, and written this
     * @throws NoSuchFileException if it is not there
     * @throws DamagedFileException if it is not whole, or of another index
     */
    Optional<Links> read(int known) throws IOException {
        CheckedFile.Contents contents = Uninterrupted.io(() -> FORMAT.read(file(), MOST_BYTES));
        try {
            if (contents.label().getLong() != generation) {
                throw new DamagedFileException("it is that of another index");
            }
            Links links = links(contents.payload(), contents.label().getInt());
            return Optional.of(links).filter(it -> it.places() <= known);
        } catch (BufferUnderflowException cutOff) {
            throw new DamagedFileException("it is malformed");
        }
    }

    private static Links links(ByteBuffer in, int count) throws DamagedFileException {
        int entry = in.getInt();
        List<Layer> layers = new ArrayList<>();
        while (in.hasRemaining()) {
            int[] places = numbers(in);
            int[][] linked = new int[places.length][];
            for (int i = 0; i < linked.length; i++) {
                linked[i] = numbers(in);
            }
            layers.add(new Layer(places, linked));
        }
        if (layers.isEmpty() || layers.getFirst().places.length != count || !layers.getLast().has(entry)
            || !Arrays.equals(layers.getFirst().places, IntStream.range(0, count).toArray())) {
            throw new DamagedFileException("it is malformed");
        }
        for (int level = 0; level < layers.size(); level++) {
            Layer layer = layers.get(level);
            Layer below = layers.get(Math.max(0, level - 1));
            for (int i = 0; i < layer.places.length; i++) {
                if (i > 0 && layer.places[i] <= layer.places[i - 1] || !below.has(layer.places[i])
                    || layer.linked[i].length > MOST_LINKS
                    || !Arrays.stream(layer.linked[i]).allMatch(layer::has)) {
                    throw new DamagedFileException("it is malformed");
                }
            }
        }
        return new Links(entry, layers);
    }

    private static int[] numbers(ByteBuffer in) throws DamagedFileException {
        int[] numbers = new int[Card.count(in, Integer.BYTES)];
        in.asIntBuffer().get(numbers);
        in.position(in.position() + numbers.length * Integer.BYTES);
        return numbers;
    }

    /** Writes it, unless the index is another one by now, or another process has written more. */
    void write(Links links) throws IOException {
        if (!isWanted(links)) {
            return;
        }
        byte[] label = ByteBuffer.allocate(Long.BYTES + Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN)
            .putLong(generation).putInt(links.places()).array();
        MemorySegment payload = MemorySegment.ofArray(payload(links));
        try (KeyLock _ = lock.acquire()) {
            if (isWanted(links)) {
                Uninterrupted.io(() -> {
                    AtomicFile.write(file(), channel -> FORMAT.write(channel, label, payload));
                    return null;
                });
            }
        }
    }

    /** Deletes it. */
    void delete() throws IOException {
        try (KeyLock _ = lock.acquire()) {
            Files.deleteIfExists(file());
        }
    }

    private boolean isWanted(Links links) throws IOException {
        return Files.exists(folder) && IndexFile.generation(folder) == generation
            && places(file(), generation) < links.places();
    }

    private static byte[] payload(Links links) {
        long numbers = 1 + links.layers.stream().mapToLong(layer -> 1L + layer.places.length
            + Stream.of(layer.linked).mapToLong(linked -> 1L + linked.length).sum()).sum();
        ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(numbers * Integer.BYTES)).order(ByteOrder.LITTLE_ENDIAN)
            .putInt(links.entry);
        for (Layer layer : links.layers) {
            put(out, layer.places);
            Stream.of(layer.linked).forEach(linked -> put(out, linked));
        }
        return out.array();
    }

    private static void put(ByteBuffer out, int[] numbers) {
        out.putInt(numbers.length);
        for (int number : numbers) {
            out.putInt(number);
        }
    }
}
