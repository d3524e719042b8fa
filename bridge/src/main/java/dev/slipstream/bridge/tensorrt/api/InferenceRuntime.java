package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** TensorRT's {@code IRuntime}: loads engines, and is the proof that TensorRT can use the device. */
public final class InferenceRuntime extends NativeObject {
    /**
     * The promise of a caller that CUDA can be used: the driver was found and initialised, is new enough, has this
     * device, and the device's primary context is current on the calling thread.
     *
     * <p>Nothing of TensorRT may be created before. Without a device, TensorRT 10 returns addresses that point nowhere,
     * and TensorRT 10.6 ends the process when a builder is asked for.
     *
     * @param device its name
     */
    public record CudaReady(String device) {
    }

    private final CudaReady ready;

    InferenceRuntime(TensorRt tensorRt, CudaReady ready, CppObject object) {
        super(tensorRt, object, Optional.empty());
        this.ready = ready;
    }

    public CudaReady ready() {
        return ready;
    }

    /**
     * Loads an engine onto the current device.
     *
     * @param bytes a serialised engine in native memory, which may be freed afterwards
     * @throws DeviceException if TensorRT refuses it: damaged, or made by another version or for another GPU
     */
    public InferenceEngine load(MemorySegment bytes) {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.DESERIALIZE_ENGINE, bytes, bytes.byteSize());
        return new InferenceEngine(this, made(Method.DESERIALIZE_ENGINE, address, CppClass.ENGINE, mark));
    }

    /** A builder for the current device. */
    public EngineBuilder createBuilder() {
        object();
        return new EngineBuilder(this, tensorRt().createBuilder());
    }
}
