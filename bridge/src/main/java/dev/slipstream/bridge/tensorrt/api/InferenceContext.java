package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Dims;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * TensorRT's {@code IExecutionContext}: one run's state of an engine. Its calls take prepared native memory and
 * allocate nothing.
 */
public final class InferenceContext extends NativeObject {
    InferenceContext(InferenceEngine engine, CppObject object) {
        super(engine.tensorRt(), object, Optional.of(engine));
    }

    /** @param dims a {@link Dims} @return whether the engine takes that shape */
    public boolean setInputShape(MemorySegment name, MemorySegment dims) {
        return object().bool(Method.SET_INPUT_SHAPE, name, dims);
    }

    /** @param address in the device's memory @return whether there is such a tensor and the address is aligned */
    public boolean setTensorAddress(MemorySegment name, MemorySegment address) {
        return object().bool(Method.SET_TENSOR_ADDRESS, name, address);
    }

    /** The shape of a tensor with the present shapes of the inputs; with open dimensions if not all are set. */
    public Optional<Shape> shape(MemorySegment name) {
        return object().shape(Method.GET_CURRENT_SHAPE, name);
    }

    /** Queues a run. @param stream a CUstream @return whether it was queued */
    public boolean enqueue(MemorySegment stream) {
        return object().bool(Method.ENQUEUE, stream);
    }
}
