package dev.slipstream.bridge.store;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.SplittableRandom;

/** Keys, and for each the one right engine, which can be told from all others and all damaged ones. */
final class Samples {
    private Samples() {
    }

    static EngineKey key(int number) {
        return new EngineKey("engine " + number, Map.of(EngineKey.COMPILER, "Toy 1.0", EngineKey.GPU, "Abacus",
            EngineKey.ARCHITECTURE, "wood", "graph", Integer.toString(number)));
    }

    /** The engine of a key: some pages, or up to two megabytes. */
    static byte[] engine(int number) {
        SplittableRandom random = new SplittableRandom(number);
        return engine(number, random.nextInt(1, number % 2 == 0 ? 20_000 : 2 << 20));
    }

    static byte[] engine(int number, int size) {
        byte[] bytes = new byte[size];
        new SplittableRandom(~number).nextBytes(bytes);
        return bytes;
    }

    static byte[] bytes(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    /** Puts an engine into the store, or finds it there; its bytes. */
    static byte[] get(EngineStore store, int number, byte[] built) {
        try (Arena arena = Arena.ofConfined()) {
            return bytes(store.getOrBuild(key(number), arena, () -> MemorySegment.ofArray(built)));
        }
    }

    /** What the store has; it must have it. */
    static byte[] get(EngineStore store, int number) {
        try (Arena arena = Arena.ofConfined()) {
            return bytes(store.getOrBuild(key(number), arena, () -> {
                throw new AssertionError(key(number).name() + " is not in the store");
            }));
        }
    }
}
