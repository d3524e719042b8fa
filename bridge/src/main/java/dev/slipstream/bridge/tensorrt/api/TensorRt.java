package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.Callbacks;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Exports;
import dev.slipstream.bridge.tensorrt.abi.TensorRtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TensorRT, loaded: its version, its log, and where its objects come from. One for each process is best, as TensorRT
 * keeps the first logger that it is given. Any thread may use it.
 */
public final class TensorRt {
    private final Exports exports;
    private final Exports.Version version;
    private final Log log;
    private final Callbacks callbacks = new Callbacks();
    private final AtomicInteger live = new AtomicInteger();

    private TensorRt(Exports exports, Exports.Version version, Log log) {
        this.exports = exports;
        this.version = version;
        this.log = log;
        callbacks.add(log.object());
    }

    /**
     * Over loaded libraries of a {@linkplain Exports.Version#isKnown known} version.
     *
     * @param arena that of the libraries, which is never closed
     */
    public static TensorRt over(SymbolLookup libraries, Arena arena) {
        Exports exports = new Exports(libraries);
        Exports.Version version = exports.version();
        if (!version.isKnown()) {
            throw new IllegalArgumentException("the slots of TensorRT " + version + " are not known");
        }
        return new TensorRt(exports, version, new Log(arena, version.major()));
    }

    public Exports.Version version() {
        return version;
    }

    public int major() {
        return version.major();
    }

    public Log log() {
        return log;
    }

    /** What TensorRT may call. */
    public Callbacks callbacks() {
        return callbacks;
    }

    /** Objects that were made and not freed yet. For tests. */
    public int liveObjects() {
        return live.get();
    }

    /** Where all else begins. */
    public InferenceRuntime createRuntime(InferenceRuntime.CudaReady ready) {
        long mark = mark();
        return new InferenceRuntime(this, ready,
            object("createInferRuntime", exports.createRuntime(log.object().address()), CppClass.RUNTIME, mark));
    }

    /** For {@link InferenceRuntime}: a builder is asked for only where a runtime could be made, which fails softly. */
    public CppObject createBuilder() {
        long mark = mark();
        return object("createInferBuilder", exports.createBuilder(log.object().address()), CppClass.BUILDER, mark);
    }

    /** For {@link NetworkDefinition}. @throws DeviceException also if there is no parser library */
    public CppObject createParser(MemorySegment network) {
        if (!hasParser()) {
            throw new TensorRtException("TensorRT's ONNX parser was not found; install libnvonnxparser.so." + major()
                + " beside libnvinfer", null);
        }
        long mark = mark();
        MemorySegment address = exports.createParser(network, log.object().address());
        return object("createNvOnnxParser", address, CppClass.PARSER, mark);
    }

    public boolean hasParser() {
        return exports.hasParser();
    }

    /** Now, for the messages of {@link #failure}. To be taken before the call that may fail. */
    public long mark() {
        return log.mark();
    }

    /** The object that a call returned. @throws DeviceException if it returned none */
    public CppObject object(String call, MemorySegment address, CppClass type, long mark) {
        if (CppObject.isNothing(address)) {
            throw failure("TensorRT's " + call + " made nothing", mark, Optional.empty());
        }
        return CppObject.at(address, type, major());
    }

    /** What to throw when a call failed: with what TensorRT said meanwhile, and what to do about it. */
    public DeviceException failure(String what, long mark, Optional<Throwable> cause) {
        return TensorRtException.of(what, log.since(mark), cause);
    }

    void count(int change) {
        live.addAndGet(change);
    }
}
