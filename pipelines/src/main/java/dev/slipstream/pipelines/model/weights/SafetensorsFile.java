package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.file.GitLfs;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A safetensors file, mapped into memory: opening it reads only the header, and the pages of a tensor are read when
 * they are touched.
 *
 * <p>Format: the length of the header in 8 bytes (little-endian), the header, which is a JSON object, and the bytes of
 * the tensors without gaps. A header is treated as hostile until all of it is checked, and is not read at all if it
 * claims to be longer than the file. Source: the format description of the huggingface/safetensors project.
 *
 * <p>The owner closes it; then its tensors can no longer be read. Any thread may read or close. If a file is shortened
 * while it is mapped, the JVM raises {@link InternalError}, as for any mapped file.
 */
public final class SafetensorsFile implements AutoCloseable {
    static final long MOST_HEADER_BYTES = 100_000_000;

    private static final ValueLayout.OfLong LENGTH =
        ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Arena arena;
    private final MemorySegment file;
    private final Map<String, StoredTensor> tensors;
    private final Map<String, String> metadata;

    private SafetensorsFile(Path path, Arena arena, MemorySegment file, SafetensorsHeader header, MemorySegment data) {
        this.path = path;
        this.arena = arena;
        this.file = file;
        this.metadata = header.metadata();
        Map<String, StoredTensor> found = new LinkedHashMap<>();
        header.entries().forEach((name, entry) -> found.put(name,
            new StoredTensor(entry.type(), entry.shape(), data.asSlice(entry.begin(), entry.end() - entry.begin()))));
        this.tensors = Collections.unmodifiableMap(found);
    }

    /** @throws ModelException if the file is missing, not of this format, or damaged */
    public static SafetensorsFile open(Path path) {
        if (Pickle.is(path.toString())) {
            throw Pickle.refused(path);
        }
        Arena arena = Arena.ofShared();
        try (FileChannel channel = InputFile.open(path)) {
            MemorySegment file = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
            return parse(path, arena, file);
        } catch (IOException e) {
            arena.close();
            throw new ModelException(e.getMessage(), e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private static SafetensorsFile parse(Path path, Arena arena, MemorySegment file) throws IOException {
        if (GitLfs.isPointer(path)) {
            throw new ModelException(GitLfs.advice(path));
        }
        if (file.byteSize() < Long.BYTES) {
            throw new ModelException(path + " is not a safetensors file: it has only " + file.byteSize() + " bytes");
        }
        long length = file.get(LENGTH, 0);
        if (length < 0 || length > MOST_HEADER_BYTES) {
            throw new ModelException(path + " is not a safetensors file: its header would have "
                + Long.toUnsignedString(length) + " bytes");
        }
        if (length > file.byteSize() - Long.BYTES) {
            throw new ModelException(path + " is cut short: its header should have " + length + " bytes, and "
                + (file.byteSize() - Long.BYTES) + " are left; download it again");
        }
        byte[] header = file.asSlice(Long.BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        MemorySegment data = file.asSlice(Long.BYTES + length);
        return new SafetensorsFile(path, arena, file, SafetensorsHeader.parse(path, header, data.byteSize()), data);
    }

    public Path path() {
        return path;
    }

    /** All tensors by name, in the header's order. */
    public Map<String, StoredTensor> tensors() {
        return tensors;
    }

    /** @throws ModelException if the file has no tensor of this name */
    public StoredTensor tensor(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ModelException(path + " has no tensor \"" + name + "\" among its " + tensors.size());
        }
        return tensor;
    }

    /** Where a tensor's first byte is in the file. @throws ModelException if the file has no tensor of this name */
    public long offset(String name) {
        return tensor(name).data().address() - file.address();
    }

    /** The texts of {@code __metadata__}; empty if there are none. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Unmaps the file. Closing twice is harmless. */
    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
