package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineCompiler;
import dev.slipstream.bridge.cuda.EngineTarget;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes engines with TensorRT. Nothing is loaded before {@link #availability} or {@link #compile} is called for the
 * first time. Any thread may use it.
 *
 * <p>Named open dimensions of a graph are fixed to what the {@link EngineSource} says; others stay open in the engine,
 * within {@link BuildOptions.OpenDimensions}. Engines and timing caches are kept in {@link EngineBytes}; one that
 * TensorRT refuses to load is built again.
 */
public final class TensorRtCompiler implements EngineCompiler {
    private static final Logger LOGGER = LoggerFactory.getLogger(TensorRtCompiler.class);

    private final Supplier<TensorRtLibrary> search;
    private final EngineBytes engines;
    private final BuildOptions options;
    private final Function<EngineSource, BuildProgress> progress;
    private TensorRtLibrary library;

    /**
     * @param cacheFolder where TensorRT is unpacked to if it comes as an artifact on the class path
     * @param engines where engines that were built before come from
     */
    public TensorRtCompiler(Path cacheFolder, EngineBytes engines, BuildOptions options) {
        this(() -> TensorRtLibrary.find(cacheFolder), engines, options, source -> new LoggedProgress(source.name()));
    }

    TensorRtCompiler(Supplier<TensorRtLibrary> search, EngineBytes engines, BuildOptions options,
            Function<EngineSource, BuildProgress> progress) {
        this.search = search;
        this.engines = engines;
        this.options = options;
        this.progress = progress;
    }

    @Override
    public Availability availability() {
        return library().availability();
    }

    @Override
    public CompiledEngine compile(EngineTarget target, EngineSource source) {
        String what = target.device() + ": engine " + source.name() + " cannot be built: ";
        TensorRt tensorRt = switch (library()) {
            case TensorRtLibrary.Available(TensorRt found, String where) -> found;
            case TensorRtLibrary.Unavailable(String reason, String remedy) ->
                throw new EngineBuildException(what + "no TensorRT: " + reason + "; " + remedy);
        };
        try {
            return compile(tensorRt, target, source);
        } catch (DeviceOutOfMemoryException full) {
            throw new DeviceOutOfMemoryException(what + full.getMessage(), full);
        } catch (DeviceException | UncheckedIOException failure) {
            // The latter of weights that cannot be read.
            throw new EngineBuildException(what + failure.getMessage(), failure);
        }
    }

    private TensorRtEngine compile(TensorRt tensorRt, EngineTarget target, EngineSource source) {
        String compiler = "TensorRT " + tensorRt.version();
        try (InferenceRuntime runtime = tensorRt.createRuntime(new CudaReady(target));
                EngineBuild build = new EngineBuild(runtime, source, options, progress.apply(source),
                    new TimingCaches(engines, target, compiler))) {
            InferenceEngine engine = load(runtime, build, target, source, compiler);
            try {
                return new TensorRtEngine(target.device(), source.name(), engine);
            } catch (RuntimeException unusable) {
                engine.close();
                throw unusable;
            }
        }
    }

    private InferenceEngine load(InferenceRuntime runtime, EngineBuild build, EngineTarget target, EngineSource source,
            String compiler) {
        Map<String, String> identity = options.identity();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = engines.get(target, source, compiler, identity, arena, build::bytes);
            try {
                return runtime.load(bytes);
            } catch (DeviceException refused) {
                if (build.isDone()) {
                    throw refused;
                }
                LOGGER.warn("{}: the stored engine {} is built again: {}", target.device(), source.name(),
                    refused.getMessage());
            }
            engines.discard(target, source, compiler, identity);
            engines.get(target, source, compiler, identity, arena, build::bytes);
            return runtime.load(build.bytes());
        }
    }

    private synchronized TensorRtLibrary library() {
        if (library == null) {
            library = search.get();
        }
        return library;
    }
}
