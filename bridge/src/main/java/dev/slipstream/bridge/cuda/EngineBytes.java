package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.EngineSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Where an engine compiler gets the bytes of engines that were built before, and leaves those that it builds. */
public interface EngineBytes {
    /** Keeps nothing: builds each time. */
    EngineBytes UNCACHED = (target, source, compiler, options, arena, build) -> build.get();

    /**
     * The serialised engine: the stored one, or else what {@code build} gives, which is stored then.
     *
     * @param compiler name and version of what builds, like {@code TensorRT 10.15.1.29}
     * @param options settings of the compiler that change what it makes
     * @param arena for as long as it is open the bytes can be read, if they were stored
     * @param build called at most once, on this thread; its bytes stay readable until the compiler is done
     */
    MemorySegment get(EngineTarget target, EngineSource source, String compiler, Map<String, String> options,
        Arena arena, Supplier<MemorySegment> build);

    /** Forgets a stored engine, as the compiler refuses to load it. */
    default void discard(EngineTarget target, EngineSource source, String compiler, Map<String, String> options) {
    }

    /** What earlier builds by this compiler learned about this kind of GPU, if anything is kept. */
    default Optional<byte[]> timingCache(EngineTarget target, String compiler) {
        return Optional.empty();
    }

    /** Replaces that. The bytes hold what {@link #timingCache} gave last, and what a build added. */
    default void putTimingCache(EngineTarget target, String compiler, byte[] cache) {
    }
}
