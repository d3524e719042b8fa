package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineTarget;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** A store for one engine and one timing cache, on the heap. */
final class FakeEngines implements EngineBytes {
    byte[] engine;
    byte[] timings = {};
    String compiler;
    Map<String, String> options;
    int discarded;

    @Override
    public MemorySegment get(EngineTarget target, EngineSource source, String builtBy, Map<String, String> settings,
            Arena arena, Supplier<MemorySegment> build) {
        compiler = builtBy;
        options = settings;
        if (engine == null) {
            engine = build.get().toArray(ValueLayout.JAVA_BYTE);
        }
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, engine);
    }

    @Override
    public void discard(EngineTarget target, EngineSource source, String builtBy, Map<String, String> settings) {
        discarded++;
        engine = null;
    }

    @Override
    public Optional<byte[]> timingCache(EngineTarget target, String builtBy) {
        return timings.length == 0 ? Optional.empty() : Optional.of(timings);
    }

    @Override
    public void putTimingCache(EngineTarget target, String builtBy, byte[] cache) {
        timings = cache;
    }

    String text() {
        return new String(engine, StandardCharsets.UTF_8);
    }
}
