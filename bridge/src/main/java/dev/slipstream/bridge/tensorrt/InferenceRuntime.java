package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** TensorRT's {@code IRuntime}: loads engines, and is the proof that TensorRT can use the device. */
final class InferenceRuntime extends NativeObject {
    private final CudaReady ready;

    InferenceRuntime(TensorRt tensorRt, CudaReady ready, CppObject object) {
        super(tensorRt, object, Optional.empty());
        this.ready = ready;
    }

    CudaReady ready() {
        return ready;
    }

    /**
     * Loads an engine onto the current device.
     *
     * @param bytes a serialised engine in native memory, which may be freed afterwards
     * @throws DeviceException if TensorRT refuses it: damaged, or made by another version or for another GPU
     */
    InferenceEngine load(MemorySegment bytes) {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.DESERIALIZE_ENGINE, bytes, bytes.byteSize());
        return new InferenceEngine(this, made(Method.DESERIALIZE_ENGINE, address, CppClass.ENGINE, mark));
    }

    /** A builder for the current device. */
    EngineBuilder createBuilder() {
        object();
        return new EngineBuilder(this, tensorRt().createBuilder());
    }
}
