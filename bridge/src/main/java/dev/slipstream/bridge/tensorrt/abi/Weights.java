package dev.slipstream.bridge.tensorrt.abi;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/**
 * TensorRT's {@code Weights}: values in memory of another owner.
 *
 * @param type TensorRT's number of the element type
 * @param values where they lie, or NULL if only type and count are meant
 * @param count number of elements
 */
public record Weights(int type, MemorySegment values, long count) {
    public static final StructLayout LAYOUT = MemoryLayout.structLayout(ValueLayout.JAVA_INT.withName("type"),
        MemoryLayout.paddingLayout(4), ValueLayout.ADDRESS.withName("values"),
        ValueLayout.JAVA_LONG.withName("count"));
    private static final long VALUES = 8;
    private static final long COUNT = 16;

    public static Weights read(MemorySegment struct) {
        return new Weights(struct.get(ValueLayout.JAVA_INT, 0), struct.get(ValueLayout.ADDRESS, VALUES),
            struct.get(ValueLayout.JAVA_LONG, COUNT));
    }

    public MemorySegment struct(SegmentAllocator allocator) {
        MemorySegment struct = allocator.allocate(LAYOUT);
        struct.set(ValueLayout.JAVA_INT, 0, type);
        struct.set(ValueLayout.ADDRESS, VALUES, values);
        struct.set(ValueLayout.JAVA_LONG, COUNT, count);
        return struct;
    }
}
