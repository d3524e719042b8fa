package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;

/** Bytes where C++ can read them. */
final class NativeBytes {
    private NativeBytes() {
    }

    /** A copy that lives as long as the arena; NULL for no bytes. */
    static MemorySegment copyOf(byte[] bytes, Arena arena) {
        return bytes.length == 0 ? MemorySegment.NULL : arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    /** What remains in the buffer: itself if it is native memory already, or else a copy. */
    static MemorySegment of(ByteBuffer buffer, Arena arena) {
        MemorySegment bytes = MemorySegment.ofBuffer(buffer);
        return bytes.isNative() ? bytes : arena.allocate(bytes.byteSize(), Long.BYTES).copyFrom(bytes);
    }
}
