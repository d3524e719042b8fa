package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.store.EngineKey;
import dev.slipstream.bridge.store.EngineStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Keeps engines and timing caches in an {@link EngineStore}. */
public record StoredEngines(EngineStore store) implements EngineBytes {
    @Override
    public MemorySegment get(EngineTarget target, EngineSource source, String compiler, Map<String, String> options,
            Arena arena, Supplier<MemorySegment> build) {
        return store.getOrBuild(key(target, source, compiler, options), arena, build);
    }

    @Override
    public void discard(EngineTarget target, EngineSource source, String compiler, Map<String, String> options) {
        store.remove(key(target, source, compiler, options).id());
    }

    @Override
    public Optional<byte[]> timingCache(EngineTarget target, String compiler) {
        try (Arena arena = Arena.ofConfined()) {
            return store.timingCache(name(target, compiler), arena).map(bytes -> bytes.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Override
    public void putTimingCache(EngineTarget target, String compiler, byte[] cache) {
        store.storeTimingCache(name(target, compiler), MemorySegment.ofArray(cache));
    }

    private EngineKey key(EngineTarget target, EngineSource source, String compiler, Map<String, String> options) {
        Map<String, String> parts = new LinkedHashMap<>();
        parts.put(EngineKey.COMPILER, compiler);
        parts.put(EngineKey.GPU, target.gpu());
        parts.put(EngineKey.ARCHITECTURE, target.architecture());
        options.forEach((name, value) -> parts.put(EngineKey.OPTIONS + " " + name, value));
        return store.key(source, parts);
    }

    private static String name(EngineTarget target, String compiler) {
        return compiler + ", " + target.gpu() + ", " + target.architecture();
    }
}
