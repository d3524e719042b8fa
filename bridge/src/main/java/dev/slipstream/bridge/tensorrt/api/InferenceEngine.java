package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.tensorrt.abi.Constant;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import dev.slipstream.bridge.tensorrt.abi.TensorRtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** TensorRT's {@code ICudaEngine}: a loaded engine. Its questions may be asked from any thread. */
public final class InferenceEngine extends NativeObject {
    /**
     * An input or output.
     *
     * @param type with {@link Shape#UNKNOWN} for open dimensions
     * @param range for inputs with open dimensions: which shapes they may have
     */
    public record Tensor(String name, boolean input, TensorType type, Optional<Range> range) {
    }

    /** From the smallest to the largest shape of an input, dimension by dimension. */
    public record Range(Shape least, Shape most) {
        public boolean contains(Shape shape) {
            if (shape.rank() != least.rank()) {
                return false;
            }
            for (int dim = 0; dim < shape.rank(); dim++) {
                if (shape.dim(dim) < least.dim(dim) || shape.dim(dim) > most.dim(dim)) {
                    return false;
                }
            }
            return true;
        }
    }

    InferenceEngine(InferenceRuntime runtime, CppObject object) {
        super(runtime.tensorRt(), object, Optional.of(runtime));
    }

    /**
     * Inputs and outputs, in TensorRT's order.
     *
     * @throws dev.slipstream.bridge.DeviceException if one is not on the device, or has a type that we have not
     */
    public List<Tensor> tensors() {
        return IntStream.range(0, object().int32(Method.COUNT_TENSORS)).mapToObj(this::tensor).toList();
    }

    /** Bytes of device memory that each context takes. */
    public long contextBytes() {
        return object().int64(Method.GET_CONTEXT_BYTES);
    }

    public boolean isRefittable() {
        return object().bool(Method.IS_REFITTABLE);
    }

    public InferenceContext createContext() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_CONTEXT, Constant.STATIC_MEMORY.value(major()));
        return new InferenceContext(this, made(Method.CREATE_CONTEXT, address, CppClass.CONTEXT, mark));
    }

    /** @throws dev.slipstream.bridge.DeviceException if it was not built to be refitted */
    public Refitter createRefitter() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_REFITTER, tensorRt().log().object().address());
        return new Refitter(this, made(Method.CREATE_REFITTER, address, CppClass.REFITTER, mark));
    }

    /** What is in it, layers and bindings, as JSON. */
    public String describe() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.CREATE_INSPECTOR);
        CppObject inspector = made(Method.CREATE_INSPECTOR, address, CppClass.INSPECTOR, mark);
        try {
            return CppObject.text(inspector.pointer(Method.GET_ENGINE_INFORMATION, Constant.JSON.value(major())));
        } finally {
            inspector.delete();
        }
    }

    /** The engine with its present weights. */
    public HostMemory serialize() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.SERIALIZE_ENGINE);
        return new HostMemory(this, made(Method.SERIALIZE_ENGINE, address, CppClass.HOST_MEMORY, mark));
    }

    private Tensor tensor(int index) {
        long mark = tensorRt().mark();
        String name = CppObject.text(object().pointer(Method.GET_TENSOR_NAME, index));
        check(!name.isEmpty(), Method.GET_TENSOR_NAME, "tensor " + index, mark);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment cName = arena.allocateFrom(name);
            Shape shape = known(object().shape(Method.GET_TENSOR_SHAPE, cName), Method.GET_TENSOR_SHAPE, name, mark);
            boolean input = object().int32(Method.GET_TENSOR_MODE, cName) == Constant.INPUT.value(major());
            Optional<Range> range = input && !shape.isKnown() ? Optional.of(
                new Range(bound(cName, name, Constant.MINIMUM), bound(cName, name, Constant.MAXIMUM)))
                : Optional.empty();
            return new Tensor(name, input, new TensorType(type(cName, name), shape), range);
        }
    }

    private DataType type(MemorySegment cName, String name) {
        if (object().int32(Method.GET_TENSOR_LOCATION, cName) != Constant.ON_DEVICE.value(major())) {
            throw new TensorRtException("TensorRT wants tensor '" + name
                + "' on the host, as its values decide shapes; make it a constant of the graph", null);
        }
        int type = object().int32(Method.GET_TENSOR_TYPE, cName);
        return Constant.dataType(type, major()).orElseThrow(() -> new TensorRtException("tensor '" + name
            + "' has TensorRT's element type " + type + ", which is unsupported", null));
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
