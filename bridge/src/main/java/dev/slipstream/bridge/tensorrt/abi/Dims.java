package dev.slipstream.bridge.tensorrt.abi;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.Shape;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/** TensorRT's {@code Dims}: a count, and room for eight dimensions. */
public final class Dims {
    public static final int MOST = 8;
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(ValueLayout.JAVA_INT.withName("nbDims"),
        MemoryLayout.paddingLayout(4), MemoryLayout.sequenceLayout(MOST, ValueLayout.JAVA_LONG).withName("d"));
    private static final long FIRST = LAYOUT.byteOffset(PathElement.groupElement("d"));

    private Dims() {
    }

    public static MemorySegment of(Shape shape, SegmentAllocator allocator) {
        long[] dims = shape.toArray();
        if (dims.length > MOST) {
            throw new IllegalArgumentException("TensorRT takes at most " + MOST + " dimensions, not " + shape);
        }
        MemorySegment struct = allocator.allocate(LAYOUT);
        struct.set(ValueLayout.JAVA_INT, 0, dims.length);
        MemorySegment.copy(dims, 0, struct, ValueLayout.JAVA_LONG, FIRST, dims.length);
        return struct;
    }

    /**
     * Open dimensions are {@link Shape#UNKNOWN}; empty if TensorRT does not know the tensor.
     *
     * @throws DeviceException if a dimension is below -1
     */
    public static Optional<Shape> read(MemorySegment struct) {
        int rank = struct.get(ValueLayout.JAVA_INT, 0);
        if (rank < 0 || rank > MOST) {
            return Optional.empty();
        }
        long[] dims = struct.asSlice(FIRST, rank * Long.BYTES).toArray(ValueLayout.JAVA_LONG);
        if (Arrays.stream(dims).anyMatch(dim -> dim < Shape.UNKNOWN)) {
            throw new TensorRtException("TensorRT gave a tensor the dimensions " + Arrays.toString(dims)
                + ", of which only -1 may be negative", null);
        }
        return Optional.of(Shape.of(dims));
    }
}
