package dev.slipstream.bridge.tensorrt.api;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.tensorrt.abi.CppClass;
import dev.slipstream.bridge.tensorrt.abi.CppObject;
import dev.slipstream.bridge.tensorrt.abi.Method;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/** TensorRT's {@code ITimingCache}: what builds measured on a kind of GPU, so that later ones need not. */
public final class TimingCache extends NativeObject {
    TimingCache(EngineBuilder builder, CppObject object) {
        super(builder.tensorRt(), object, Optional.of(builder));
    }

    public byte[] serialize() {
        long mark = tensorRt().mark();
        MemorySegment address = object().pointer(Method.SERIALIZE_TIMING_CACHE);
        try (HostMemory bytes = new HostMemory(this,
            made(Method.SERIALIZE_TIMING_CACHE, address, CppClass.HOST_MEMORY, mark))) {
            return bytes.bytes().toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /**
     * Adds what another one knows.
     *
     * @throws DeviceException if it is of another GPU or version
     */
    public void add(TimingCache other) {
        long mark = tensorRt().mark();
        check(object().bool(Method.COMBINE_TIMING_CACHES, other.address(), false), Method.COMBINE_TIMING_CACHES, "",
            mark);
    }
}
