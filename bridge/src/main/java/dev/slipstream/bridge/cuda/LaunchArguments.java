package dev.slipstream.bridge.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Native memory in which the arguments of one kernel launch are written, and the pointer to it that the driver wants.
 * The driver copies the arguments when it is called, so one is enough for a stream. One thread at a time.
 */
final class LaunchArguments {
    /** The largest of the structs in {@code native/src/arguments.h}. */
    private static final long BYTES = 120;

    private final MemorySegment values;
    private final MemorySegment pointers;

    LaunchArguments() {
        Arena arena = Arena.ofAuto();
        values = arena.allocate(BYTES, Long.BYTES);
        pointers = arena.allocate(ValueLayout.ADDRESS);
        pointers.set(ValueLayout.ADDRESS, 0, values);
    }

    void set(long offset, long value) {
        values.set(ValueLayout.JAVA_LONG, offset, value);
    }

    void set(long offset, int value) {
        values.set(ValueLayout.JAVA_INT, offset, value);
    }

    void set(long offset, float value) {
        values.set(ValueLayout.JAVA_FLOAT, offset, value);
    }

    MemorySegment pointers() {
        return pointers;
    }
}
