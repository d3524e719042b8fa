package dev.slipstream.bridge.tensorrt;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code IExecutionContext::enqueueV3}. */
public class EnqueueV3 {
    private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(
        ValueLayout.JAVA_BOOLEAN, ValueLayout.ADDRESS, ValueLayout.ADDRESS));

    @Benchmark
    public boolean jni(ContextHandles with) {
        return with.done = with.jniContext.enqueueV3(with.jniStream);
    }

    @Benchmark
    public boolean ffm(ContextHandles with) throws Throwable {
        return with.done = (boolean) CALL.invokeExact(with.enqueue, with.self, with.stream);
    }

    @Benchmark
    public boolean checked(ContextHandles with) {
        return with.done = with.context.enqueue(with.stream);
    }

    @Benchmark
    public void safe(ContextHandles with) {
        with.safeStream.run(with.bindings);
    }
}
