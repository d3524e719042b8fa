package dev.slipstream.bridge.cuda;

import dev.slipstream.jextract.cuda.CudaDriver;
import org.bytedeco.cuda.global.cudart;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code cuMemcpyDtoDAsync} of one number. */
public class AsyncCopy {
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
        with.calls.copy(with.fromAddress, with.toAddress, with.bytes, with.typedStream);
    }

    @Benchmark
    public void safe(DriverHandles with) {
        with.safeStream.copy(with.from, with.to);
    }
}
