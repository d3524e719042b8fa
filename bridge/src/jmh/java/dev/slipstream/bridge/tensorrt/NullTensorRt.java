package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Availability;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.EngineSource;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.cuda.CompiledEngine;
import dev.slipstream.bridge.cuda.EngineCompiler;
import dev.slipstream.bridge.cuda.EngineContext;
import dev.slipstream.bridge.cuda.EngineTarget;
import dev.slipstream.bridge.rival.NativeLibraries;
import dev.slipstream.bridge.tensorrt.api.InferenceContext;
import dev.slipstream.bridge.tensorrt.api.InferenceEngine;
import dev.slipstream.bridge.tensorrt.api.InferenceRuntime;
import dev.slipstream.bridge.tensorrt.api.TensorRt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Engines by the TensorRT that does nothing; each has one input, and no output. Arenas stay open: a fork is short. */
final class NullTensorRt implements EngineCompiler {
    static final String INPUT = "latents";
    static final TensorType TYPE = TensorType.of(DataType.FLOAT32, 1);

    private static final InferenceEngine.Tensor TENSOR =
        new InferenceEngine.Tensor(INPUT, true, TYPE, Optional.empty());

    private final TensorRt tensorRt;
    private final MemorySegment calls;

    NullTensorRt() {
        SymbolLookup library = SymbolLookup.libraryLookup(NativeLibraries.ofProcess().tensorRt(), Arena.global());
        tensorRt = TensorRt.over(library, Arena.global());
        calls = library.find("null_calls").orElseThrow().reinterpret(Long.BYTES);
    }

    /** How often a method of the loop was called. */
    long calls() {
        return calls.get(ValueLayout.JAVA_LONG, 0);
    }

    InferenceContext newContext(EngineTarget target) {
        InferenceRuntime runtime = tensorRt.createRuntime(new InferenceRuntime.CudaReady(target.device()));
        return runtime.load(MemorySegment.NULL).createContext();
    }

    @Override
    public Availability availability() {
        return new Availability.Available("engines that do nothing");
    }

    @Override
    public CompiledEngine compile(EngineTarget target, EngineSource source) {
        return new CompiledEngine() {
            @Override
            public Map<String, TensorType> inputs() {
                return Map.of(INPUT, TYPE);
            }

            @Override
            public Map<String, TensorType> outputs() {
                return Map.of();
            }

            @Override
            public long contextBytes() {
                return 0;
            }

            @Override
            public long alignment() {
                return 1;
            }

            @Override
            public EngineContext newContext() {
                return new TensorRtContext(source.name(), List.of(TENSOR), NullTensorRt.this.newContext(target));
            }

            @Override
            public void close() {
                // These objects are static.
            }
        };
    }
}
