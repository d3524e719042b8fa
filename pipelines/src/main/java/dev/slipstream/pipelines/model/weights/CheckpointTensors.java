package dev.slipstream.pipelines.model.weights;

import dev.slipstream.bridge.file.InputFile;
import dev.slipstream.pipelines.graph.build.StoredWeight;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * The elements of a checkpoint's tensors, whose files are mapped when the first of their tensors is asked for.
 *
 * <p>The owner closes it; then its tensors can no longer be read. One thread reads.
 */
public final class CheckpointTensors implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Arena arena = Arena.ofShared();
    private final Map<Path, MemorySegment> files = new HashMap<>();

    public CheckpointTensors(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /** @throws ModelException if there is no such tensor */
    public StoredTensor tensor(String name) {
        StoredWeight weight = checkpoint.weights().get(name);
        if (weight == null) {
            throw new ModelException(checkpoint.source() + " has no tensor " + SafetensorsHeader.shortened(name));
        }
        if (weight.type().isEmpty()) {
            return ofOtherType(weight.file(), name);
        }
        StoredType type = StoredType.of(weight.type().get());
        return new StoredTensor(type, weight.shape(), weight.values()
            .map(values -> MemorySegment.ofArray(values.toByteArray()))
            .orElseGet(() -> inFile(name, weight, weight.shape().elements() * type.bytes())));
    }

    /** Of a type that engines do not have, which is not among what a checkpoint says. */
    private StoredTensor ofOtherType(Path file, String name) {
        try (SafetensorsFile opened = SafetensorsFile.open(file)) {
            StoredTensor tensor = opened.tensor(name);
            return new StoredTensor(tensor.type(), tensor.shape(),
                MemorySegment.ofArray(tensor.data().toArray(ValueLayout.JAVA_BYTE)));
        }
    }

    private MemorySegment inFile(String name, StoredWeight weight, long bytes) {
        MemorySegment file = files.computeIfAbsent(weight.file(), this::map);
        if (weight.offset() > file.byteSize() - bytes) {
            throw new ModelException(weight.file() + " is not the file any more that was read: it is too short for "
                + name);
        }
        return file.asSlice(weight.offset(), bytes);
    }

    private MemorySegment map(Path file) {
        try (FileChannel channel = InputFile.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            throw new ModelException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
