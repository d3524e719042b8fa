package dev.slipstream.pipelines.graph.build;

import com.google.protobuf.ByteString;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a tensor of a checkpoint lies.
 *
 * @param file the file that holds it
 * @param offset of its first byte in the file
 * @param type element type as stored, little-endian; empty for one that engines do not have
 * @param shape dimensions, all known; dense and row-major
 * @param values the elements themselves, where no run of the file's bytes is the tensor: it is made of parts of others
 *     or transposed, and goes into the graph
 */
public record StoredWeight(Path file, long offset, Optional<DataType> type, Shape shape, Optional<ByteString> values) {
    public StoredWeight(Path file, long offset, Optional<DataType> type, Shape shape) {
        this(file, offset, type, shape, Optional.empty());
    }

    public StoredWeight(Path file, long offset, DataType type, Shape shape) {
        this(file, offset, Optional.of(type), shape);
    }
}
