package dev.slipstream.bridge.cuda;

import dev.slipstream.jextract.cuda.CudaDriver;
import org.bytedeco.cuda.global.cudart;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code cuCtxSetCurrent}, which checked calls of the driver make first where another context is current. */
public class MakeCurrent {
    @Benchmark
    public int jni(DriverHandles with) {
        return with.result = cudart.cuCtxSetCurrent(with.jniContext);
    }

    @Benchmark
    public int ffm(DriverHandles with) {
        return with.result = CudaDriver.cuCtxSetCurrent(with.context);
    }

    @Benchmark
    public void checked(DriverHandles with) {
        with.calls.makeCurrent();
    }
}
