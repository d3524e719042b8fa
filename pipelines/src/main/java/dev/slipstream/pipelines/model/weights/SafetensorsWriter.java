package dev.slipstream.pipelines.model.weights;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.file.AtomicFile;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/** Writes safetensors files; whole or not at all. */
public final class SafetensorsWriter {
    /** The header is filled up with spaces to a multiple of this, so that tensors are aligned in memory. */
    private static final int ALIGNMENT = 8;
    private static final long CHUNK = 1 << 30;

    private SafetensorsWriter() {
    }

    /**
     * @param tensors by name, written in this order
     * @param metadata texts about the file; may be empty
     * @throws ModelException if the file cannot be written; an older one is then still there
     */
    public static void write(Path path, Map<String, StoredTensor> tensors, Map<String, String> metadata) {
        Map<String, TensorOutline> outlines = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> outlines.put(name, new TensorOutline(tensor.type(), tensor.shape())));
        write(path, outlines, name -> tensors.get(name).data(), metadata);
    }

    /**
     * For more than fits into memory: the elements of a tensor are asked for just before they are written.
     *
     * @param outlines by name, written in this order
     * @param data the elements of the tensor of a name, as in {@link StoredTensor#data}; not used after the next call
     * @param metadata texts about the file; may be empty
     * @throws ModelException if the file cannot be written; an older one is then still there
     */
    public static void write(Path path, Map<String, TensorOutline> outlines, Function<String, MemorySegment> data,
        Map<String, String> metadata) {
        writePieces(path, outlines, name -> Stream.of(data.apply(name)), metadata);
    }

    /**
     * For tensors that are too large to be in memory whole.
     *
     * @param outlines by name, written in this order
     * @param pieces the elements of the tensor of a name, one run after another; each is written before the next is
     *     asked for
     * @param metadata texts about the file; may be empty
     * @throws ModelException if the file cannot be written; an older one is then still there
     */
    public static void writePieces(Path path, Map<String, TensorOutline> outlines,
        Function<String, Stream<MemorySegment>> pieces, Map<String, String> metadata) {
        write(path, outlines, metadata, channel -> {
            for (Map.Entry<String, TensorOutline> tensor : outlines.entrySet()) {
                long bytes = 0;
                try (Stream<MemorySegment> data = pieces.apply(tensor.getKey())) {
                    for (Iterator<MemorySegment> each = data.iterator(); each.hasNext();) {
                        MemorySegment piece = each.next();
                        bytes += piece.byteSize();
                        writeAll(channel, piece);
                    }
                }
                check(tensor.getKey(), tensor.getValue(), bytes);
            }
        });
    }

    /**
     * A file whose elements are all 0 and were never written: where the file system has holes, it takes no room.
     *
     * @param outlines by name, in the file's order
     * @param metadata texts about the file; may be empty
     * @throws ModelException if the file cannot be written; an older one is then still there
     */
    public static void writeHollow(Path path, Map<String, TensorOutline> outlines, Map<String, String> metadata) {
        long bytes = outlines.values().stream().mapToLong(TensorOutline::bytes).sum();
        write(path, outlines, metadata, channel -> {
            if (bytes > 0) {
                channel.position(channel.position() + bytes - 1);
                writeAll(channel, ByteBuffer.allocate(1));
            }
        });
    }

    private static void write(Path path, Map<String, TensorOutline> outlines, Map<String, String> metadata,
        AtomicFile.Contents elements) {
        String json = header(outlines, metadata);
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(json)) {
            throw new ModelException("cannot write " + path + ": a name or text has half a surrogate pair");
        }
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        if (header.length > SafetensorsFile.MOST_HEADER_BYTES) {
            throw new ModelException("cannot write " + path + ": its header would have " + header.length + " bytes");
        }
        try {
            AtomicFile.write(path, channel -> {
                writeAll(channel, ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(header.length).flip());
                writeAll(channel, ByteBuffer.wrap(header));
                elements.writeTo(channel);
            });
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }

    private static void check(String name, TensorOutline outline, long bytes) {
        if (bytes != outline.bytes()) {
            throw new IllegalArgumentException("tensor " + name + " should have " + outline.bytes() + " bytes, not "
                + bytes);
        }
    }

    private static String header(Map<String, TensorOutline> tensors, Map<String, String> metadata) {
        JsonObject root = new JsonObject();
        if (!metadata.isEmpty()) {
            JsonObject texts = new JsonObject();
            metadata.forEach(texts::addProperty);
            root.add("__metadata__", texts);
        }
        long position = 0;
        for (Map.Entry<String, TensorOutline> named : tensors.entrySet()) {
            if (named.getKey().equals("__metadata__")) {
                throw new ModelException("a tensor cannot be called __metadata__ in a safetensors file");
            }
            TensorOutline tensor = named.getValue();
            JsonArray shape = new JsonArray();
            for (long dim : tensor.shape().toArray()) {
                shape.add(dim);
            }
            JsonArray offsets = new JsonArray();
            offsets.add(position);
            position += tensor.bytes();
            offsets.add(position);
            JsonObject entry = new JsonObject();
            entry.addProperty("dtype", tensor.type().name());
            entry.add("shape", shape);
            entry.add("data_offsets", offsets);
            root.add(named.getKey(), entry);
        }
        String json = root.toString();
        int length = json.getBytes(StandardCharsets.UTF_8).length;
        return json + " ".repeat(Math.floorMod(-length, ALIGNMENT));
    }

    /** In pieces, since a byte buffer holds no more than 2 GB. */
    private static void writeAll(FileChannel channel, MemorySegment data) throws IOException {
        for (long begin = 0; begin < data.byteSize(); begin += CHUNK) {
            writeAll(channel, data.asSlice(begin, Math.min(CHUNK, data.byteSize() - begin)).asByteBuffer());
        }
    }

    private static void writeAll(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * A tensor of a safetensors file without its elements.
     *
     * @param type element type
     * @param shape dimensions, all known
     */
    public record TensorOutline(StoredType type, Shape shape) {
        /** Bytes of all elements. @throws ArithmeticException if they are more than a file can have */
        public long bytes() {
            return Math.multiplyExact(shape.elements(), (long) type.bytes());
        }
    }
}
