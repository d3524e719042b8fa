package dev.slipstream.bridge.cuda;

import dev.slipstream.jextract.cuda.CudaDriver;
import java.lang.foreign.MemorySegment;
import org.bytedeco.cuda.global.cudart;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code cuLaunchKernel} with arguments that are written already; {@code safe} writes them too. */
public class KernelLaunch {
    private static final int THREADS = 256;

    @Benchmark
    public int jni(DriverHandles with) {
        return with.result = cudart.cuLaunchKernel(with.jniKernel, 1, 1, 1, THREADS, 1, 1, 0, with.jniStream,
            with.jniParameters, with.jniNothing);
    }

    @Benchmark
    public int ffm(DriverHandles with) {
        return with.result = CudaDriver.cuLaunchKernel(with.kernel, 1, 1, 1, THREADS, 1, 1, 0, with.stream,
            with.parameters, MemorySegment.NULL);
    }

    @Benchmark
    public void checked(DriverHandles with) {
        with.calls.launch(with.typedKernel, 1, THREADS, with.parameters, with.typedStream);
    }

    @Benchmark
    public void safe(DriverHandles with) {
        with.safeStream.combine(with.combination);
    }
}
