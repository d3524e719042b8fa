package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** TensorRT's {@code IHostMemory}: bytes that TensorRT made, such as a serialised engine. */
public final class HostMemory extends NativeObject {
    HostMemory(NativeObject maker, CppObject object) {
        super(maker.tensorRt(), object, Optional.of(maker));
    }

    /** The bytes, which live as long as this. Read only. */
    public MemorySegment bytes() {
        long size = object().int64(Method.GET_SIZE);
        return object().pointer(Method.GET_DATA).reinterpret(size).asReadOnly();
    }
}
