package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** TensorRT's {@code ICudaEngine}: a loaded engine. Its questions may be asked from any thread. */
final class InferenceEngine extends NativeObject {
    InferenceEngine(InferenceRuntime runtime, CppObject object) {
        super(runtime.tensorRt(), object, Optional.of(runtime));
    }

    /** Inputs and outputs. */
    List<EngineTensor> tensors() {
        return IntStream.range(0, object().int32(Method.COUNT_TENSORS)).mapToObj(this::tensor).toList();
    }

    /** Bytes of device memory that each context takes. */
    long contextBytes() {
        return object().int64(Method.GET_CONTEXT_BYTES);
    }

    boolean isRefittable() {
        return object().bool(Method.IS_REFITTABLE);
    }

    InferenceContext createContext() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_CONTEXT, Constant.STATIC_MEMORY.value(major()));
        return new InferenceContext(this, made(Method.CREATE_CONTEXT, address, CppClass.CONTEXT, mark));
    }

    /** @throws dev.slipstream.bridge.DeviceException if it was not built to be refitted */
    Refitter createRefitter() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_REFITTER, tensorRt().log().object().address());
        return new Refitter(this, made(Method.CREATE_REFITTER, address, CppClass.REFITTER, mark));
    }

    EngineInspector createInspector() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_INSPECTOR);
        return new EngineInspector(this, made(Method.CREATE_INSPECTOR, address, CppClass.INSPECTOR, mark));
    }

    /** The engine with its present weights. */
    HostMemory serialize() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.SERIALIZE_ENGINE);
        return new HostMemory(this, made(Method.SERIALIZE_ENGINE, address, CppClass.HOST_MEMORY, mark));
    }

    private EngineTensor tensor(int index) {
        long mark = tensorRt().mark();
        String name = CppObject.text(object().pointer(Method.GET_TENSOR_NAME, index));
        check(!name.isEmpty(), Method.GET_TENSOR_NAME, "tensor " + index, mark);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cName = arena.allocateFrom(name);
            Shape shape = known(object().shape(Method.GET_TENSOR_SHAPE, cName), Method.GET_TENSOR_SHAPE, name, mark);
            boolean input = object().int32(Method.GET_TENSOR_MODE, cName) == Constant.INPUT.value(major());
            Optional<EngineTensor.Range> range = input && !shape.isKnown() ? Optional.of(new EngineTensor.Range(
                bound(cName, name, Constant.MINIMUM), bound(cName, name, Constant.MAXIMUM))) : Optional.empty();
            return new EngineTensor(name, input, object().int32(Method.GET_TENSOR_TYPE, cName), shape,
                object().int32(Method.GET_TENSOR_LOCATION, cName) == Constant.ON_DEVICE.value(major()), range);
        }
    }

    private Shape bound(MemorySegment cName, String name, Constant selector) {
        long mark = tensorRt().mark();
        return known(object().shape(Method.GET_PROFILE_SHAPE, cName, 0, selector.value(major())),
            Method.GET_PROFILE_SHAPE, name, mark);
    }

    private Shape known(Optional<Shape> shape, Method method, String name, long mark) {
        return shape.orElseThrow(() -> failure(method, "tensor '" + name + "'", mark));
    }
}
