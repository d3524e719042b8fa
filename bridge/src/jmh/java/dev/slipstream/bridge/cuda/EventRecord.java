package dev.slipstream.bridge.cuda;

import dev.slipstream.jextract.cuda.CudaDriver;
import org.bytedeco.cuda.global.cudart;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code cuEventRecord}. */
public class EventRecord {
    @Benchmark
    public int jni(DriverHandles with) {
        return with.result = cudart.cuEventRecord(with.jniEvent, with.jniStream);
    }

    @Benchmark
    public int ffm(DriverHandles with) {
        return with.result = CudaDriver.cuEventRecord(with.event, with.stream);
    }

    @Benchmark
    public void checked(DriverHandles with) {
        with.calls.record(with.typedEvent, with.typedStream);
    }

    @Benchmark
    public void safe(DriverHandles with) {
        with.safeStream.record(with.safeEvent);
    }
}
