package dev.slipstream.pipelines.cache;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.bridge.file.CheckedFile;
import dev.slipstream.bridge.file.DamagedFileException;
import dev.slipstream.bridge.file.Uninterrupted;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An entry as a file, {@code ID.entry}: a {@link CheckedFile} whose label is the card, the key, the shapes and the
 * prompt if that is kept, and whose payload is the conditioning, and the latents from the first depth on. Written whole
 * or not at all, and never changed.
 */
final class EntryFile {
    static final String ENDING = ".entry";
    static final CheckedFile FORMAT = new CheckedFile(0x0a1a_0a0d_5443_4c89L, 2, "a cached picture");

    /** More than any model's conditioning and latents. */
    private static final int MOST_BYTES = 1 << 30;

    private EntryFile() {
    }

    /** An entry with what the index says of it. */
    record Kept(Card card, Entry entry) {
    }

    static String name(String id) {
        return id + ENDING;
    }

    /** @return how many bytes the file has */
    static long write(Path file, Entry entry, Card card) throws IOException {
        byte[] label = label(entry, card);
        MemorySegment payload = MemorySegment.ofArray(payload(entry));
        Uninterrupted.io(() -> {
            AtomicFile.write(file, channel -> FORMAT.write(channel, label, payload));
            return null;
        });
        return CheckedFile.size(label.length, payload.byteSize());
    }

    private static byte[] label(Entry entry, Card card) {
        byte[] described = card.encoded();
        return Card.bytes(out -> {
            out.write(described);
            Card.text(out, entry.key().namespace());
            out.writeInt(entry.key().facts().size());
            for (Map.Entry<String, String> fact : entry.key().facts().entrySet()) {
                Card.text(out, fact.getKey());
                Card.text(out, fact.getValue());
            }
            shape(out, entry.conditioning().shape());
            shape(out, entry.latents().firstEntry().getValue().shape());
            Card.text(out, entry.prompt().orElse(""));
        });
    }

    private static void shape(DataOutputStream out, Shape shape) throws IOException {
        out.writeInt(shape.rank());
        for (long dim : shape.toArray()) {
            out.writeLong(dim);
        }
    }

    private static byte[] payload(Entry entry) {
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(entry.bytes())).order(ByteOrder.LITTLE_ENDIAN);
        put(all, entry.conditioning());
        entry.latents().values().forEach(tensor -> put(all, tensor));
        return all.array();
    }

    private static void put(ByteBuffer all, HalfTensor tensor) {
        for (short half : tensor.halves()) {
            all.putShort(half);
        }
    }

    /**
     * Reads and checks all of it.
     *
     * @throws java.nio.file.NoSuchFileException if it is not there
     * @throws DamagedFileException if it is not a whole entry that belongs under this name
     */
    static Kept read(Path file) throws IOException {
        CheckedFile.Contents contents = Uninterrupted.io(() -> FORMAT.read(file, MOST_BYTES));
        Kept kept = decoded(contents.label(), contents.payload());
        if (!name(kept.card.id()).equals(file.getFileName().toString()) || !kept.entry.id().equals(kept.card.id())) {
            throw new DamagedFileException("it is another picture's");
        }
        return kept;
    }

    /** What an entry is told of to people. @param prompt if it is kept */
    record Described(CacheKey key, Optional<String> prompt) {
    }

    /** Reads the beginning of a file alone. */
    static Described describe(Path file) throws IOException {
        ByteBuffer label = Uninterrupted.io(() -> FORMAT.label(file));
        Card.decoded(label);
        CacheKey key = key(label);
        return Card.checked(label, () -> {
            shape(label);
            shape(label);
            return new Described(key, prompt(label));
        });
    }

    private static Kept decoded(ByteBuffer label, ByteBuffer payload) throws DamagedFileException {
        Card card = Card.decoded(label);
        CacheKey key = key(label);
        return Card.checked(label, () -> {
            Shape conditioning = shape(label);
            Shape latents = shape(label);
            Optional<String> prompt = prompt(label);
            HalfTensor told = tensor(conditioning, payload);
            SortedMap<Integer, HalfTensor> kept = new TreeMap<>();
            for (int depth : card.depths()) {
                kept.put(depth, tensor(latents, payload));
            }
            if (payload.hasRemaining() || key.steps() != card.steps()) {
                throw new DamagedFileException("it has other numbers than it says");
            }
            return new Kept(card, new Entry(key, card.mark(), told, kept, card.stepSeconds(), prompt));
        });
    }

    private static CacheKey key(ByteBuffer label) throws DamagedFileException {
        return Card.checked(label, () -> {
            String namespace = Card.text(label);
            SortedMap<String, String> facts = new TreeMap<>();
            for (int left = Card.count(label, 2 * Integer.BYTES); left > 0; left--) {
                facts.put(Card.text(label), Card.text(label));
            }
            return new CacheKey(namespace, facts);
        });
    }

    private static Optional<String> prompt(ByteBuffer label) throws DamagedFileException {
        return Optional.of(Card.text(label)).filter(text -> !text.isEmpty());
    }

    private static Shape shape(ByteBuffer label) throws DamagedFileException {
        long[] dims = new long[Card.count(label, Long.BYTES)];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = label.getLong();
        }
        return Shape.of(dims);
    }

    private static HalfTensor tensor(Shape shape, ByteBuffer payload) throws DamagedFileException {
        long most = payload.remaining() / Short.BYTES;
        long size = 1;
        for (long dim : shape.toArray()) {
            if (dim < 1 || size > most / dim) {
                throw new DamagedFileException("it has fewer numbers than it says");
            }
            size *= dim;
        }
        short[] halves = new short[(int) size];
        payload.asShortBuffer().get(halves);
        payload.position(payload.position() + halves.length * Short.BYTES);
        return HalfTensor.ofHalves(shape, halves);
    }
}
