package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.MemorySegment;

/**
 * An object of the fake.
 *
 * @param outer what is handed out
 * @param behind what calls go to
 */
record FakeObject(CppClass type, Object state, MemorySegment outer, MemorySegment behind) {
    <T> T as(Class<T> type) {
        return type.cast(state);
    }
}
