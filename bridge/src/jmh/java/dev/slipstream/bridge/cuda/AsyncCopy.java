package dev.slipstream.bridge.cuda;

import dev.slipstream.bridge.Slice;
import dev.slipstream.jextract.cuda.CudaDriver;
import org.bytedeco.cuda.global.cudart;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** {@code cuMemcpyDtoDAsync} of one number. */
public class AsyncCopy {
    /** Prepared once, as in a loop. */
    @State(Scope.Thread)
    public static class Slices {
        Slice from;
        Slice to;

        @Setup
        public void prepare(DriverHandles with) {
            from = with.from.slice(0, with.bytes);
            to = with.to.slice(0, with.bytes);
        }
    }

    @Benchmark
    public int jni(DriverHandles with) {
        return with.result = cudart.cuMemcpyDtoDAsync(with.toAddress, with.fromAddress, with.bytes, with.jniStream);
    }

    @Benchmark
    public int ffm(DriverHandles with) {
        return with.result = CudaDriver.cuMemcpyDtoDAsync_v2(with.toAddress, with.fromAddress, with.bytes, with.stream);
    }

    @Benchmark
    public void checked(DriverHandles with) {
        with.calls.copy(with.fromAddress, with.toAddress, with.bytes, with.stream);
    }

    @Benchmark
    public void safe(DriverHandles with, Slices slices) {
        with.safeStream.copy(slices.from, slices.to);
    }
}
