package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code IExecutionContext::setTensorAddress}, with a name that is a C string already, and with a Java string. */
public class SetTensorAddress {
    private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(
        ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    @Benchmark
    public boolean jni(ContextHandles with) {
        return with.done = with.jniContext.setTensorAddress(with.jniName, with.jniAddress);
    }

    @Benchmark
    public boolean jniString(ContextHandles with) {
        return with.done = with.jniContext.setTensorAddress(with.text, with.jniAddress);
    }

    @Benchmark
    public boolean ffm(ContextHandles with) throws Throwable {
        return with.done = (boolean) CALL.invokeExact(with.setTensorAddress,
            with.self, with.name, with.address);
    }

    @Benchmark
    public boolean ffmString(ContextHandles with) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            return with.done = (boolean) CALL.invokeExact(with.setTensorAddress,
                with.self, arena.allocateFrom(with.text), with.address);
        }
    }

    @Benchmark
    public boolean checked(ContextHandles with) {
        return with.done = with.context.setTensorAddress(with.name, with.address);
    }
}
