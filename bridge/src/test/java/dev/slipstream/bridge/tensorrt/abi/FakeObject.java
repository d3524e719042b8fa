package dev.slipstream.bridge.tensorrt.abi;

import java.lang.foreign.MemorySegment;

/**
 * An object of the fake.
 *
 * @param outer what is handed out
 * @param behind what calls go to
 * @param parent what must outlive it; null if nothing must
 */
public record FakeObject(CppClass type, Object state, MemorySegment outer, MemorySegment behind, FakeObject parent) {
    public <T> T as(Class<T> type) {
        return type.cast(state);
    }
}
