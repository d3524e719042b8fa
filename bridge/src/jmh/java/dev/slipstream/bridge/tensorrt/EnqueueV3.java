package dev.slipstream.bridge.tensorrt;

import org.openjdk.jmh.annotations.Benchmark;

/** {@code IExecutionContext::enqueueV3}. */
public class EnqueueV3 {
    @Benchmark
    public boolean jni(ContextHandles with) {
        return with.done = with.jniContext.enqueueV3(with.jniStream);
    }

    @Benchmark
    public boolean ffm(ContextHandles with) throws Throwable {
        return with.done = (boolean) Signature.BOOL_PTR.handle().invokeExact(with.enqueue, with.self, with.stream);
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
