package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.EngineBuildException;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.EngineBytes;
import dev.slipstream.bridge.cuda.EngineCompiler;
import dev.slipstream.bridge.cuda.EngineContext;
import dev.slipstream.bridge.cuda.EngineTarget;
import dev.slipstream.bridge.cuda.StoredEngines;
import dev.slipstream.bridge.file.UserCache;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.bridge.tensorrt.api.InferenceEngine;
import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.ProgressMonitor;
import dev.slipstream.bridge.tensorrt.api.TensorRt;
import dev.slipstream.bridge.tensorrt.library.LibrarySearch;
import dev.slipstream.bridge.tensorrt.library.TensorRtLibrary;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
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
    private final Function<EngineSource, ProgressMonitor.Listener> progress;
    private TensorRtLibrary library;

    /** For the service loader: engines are kept in the user's store. */
    public TensorRtCompiler() {
        this(UserCache.folder(), new StoredEngines(EngineStore.ofUser()), BuildOptions.DEFAULT);
    }

    /**
     * @param cacheFolder where TensorRT is unpacked to if it comes as an artifact on the class path
     * @param engines where engines that were built before come from
     */
    public TensorRtCompiler(Path cacheFolder, EngineBytes engines, BuildOptions options) {
        this(() -> LibrarySearch.ofProcess(cacheFolder), engines, options, TensorRtCompiler::logged);
    }

    TensorRtCompiler(Supplier<TensorRtLibrary> search, EngineBytes engines, BuildOptions options,
            Function<EngineSource, ProgressMonitor.Listener> progress) {
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
            // UncheckedIOException: weights that cannot be read.
            throw new EngineBuildException(what + failure.getMessage(), failure);
        }
    }

    private CompiledEngine compile(TensorRt tensorRt, EngineTarget target, EngineSource source) {
        String compiler = "TensorRT " + tensorRt.version();
        try (InferenceRuntime runtime = tensorRt.createRuntime(new InferenceRuntime.CudaReady(target.device()));
                EngineBuild build = new EngineBuild(runtime, source, options, progress.apply(source),
                    new TimingCaches(engines, target, compiler))) {
            InferenceEngine engine = load(runtime, build, target, source, compiler);
            try {
                return new TensorRtEngine(target.device() + ": engine " + source.name(), engine);
            } catch (RuntimeException | Error unusable) {
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

    /** Writes the phases of a build to the log. */
    static ProgressMonitor.Listener logged(EngineSource source) {
        return new ProgressMonitor.Listener() {
            @Override
            public void phaseStarted(String phase, String parent, int steps) {
                LOGGER.debug("engine {}: {} begins, {} steps", source.name(), phase, steps);
            }

            @Override
            public boolean stepDone(String phase, int step) {
                return true;
            }

            @Override
            public void phaseFinished(String phase) {
                LOGGER.debug("engine {}: {} is done", source.name(), phase);
            }
        };
    }

    /** An engine of TensorRT's as the CUDA provider sees it. */
    private static final class TensorRtEngine implements CompiledEngine {
        /** As NVIDIA's documentation of {@code IExecutionContext::setTensorAddress} asks for. */
        private static final long ALIGNMENT = 256;

        private final String name;
        private final InferenceEngine engine;
        private final List<InferenceEngine.Tensor> tensors;
        private final Map<String, TensorType> inputs;
        private final Map<String, TensorType> outputs;

        /**
         * Takes over the engine, if this does not throw.
         *
         * @param name what errors call it: with its device
         */
        private TensorRtEngine(String name, InferenceEngine engine) {
            this.name = name;
            this.engine = engine;
            this.tensors = engine.tensors();
            this.inputs = types(true);
            this.outputs = types(false);
        }

        @Override
        public Map<String, TensorType> inputs() {
            return inputs;
        }

        @Override
        public Map<String, TensorType> outputs() {
            return outputs;
        }

        private Map<String, TensorType> types(boolean input) {
            Map<String, TensorType> types = new LinkedHashMap<>();
            tensors.stream().filter(tensor -> tensor.input() == input)
                .forEach(tensor -> types.put(tensor.name(), tensor.type()));
            return Collections.unmodifiableMap(types);
        }

        @Override
        public long contextBytes() {
            return engine.contextBytes();
        }

        @Override
        public long alignment() {
            return ALIGNMENT;
        }

        @Override
        public EngineContext newContext() {
            try {
                return new TensorRtContext(name, tensors, engine.createContext());
            } catch (DeviceOutOfMemoryException full) {
                throw new DeviceOutOfMemoryException(name + " has no room for a context: " + full.getMessage(), full);
            } catch (DeviceException failure) {
                throw new DeviceException(name + " makes no context: " + failure.getMessage(), failure);
            }
        }

        @Override
        public void close() {
            engine.close();
        }
    }
}
