package dev.slipstream.bridge.cuda;

import dev.slipstream.jextract.cuda.CudaDriver;
import org.bytedeco.cuda.global.cudart;
import org.openjdk.jmh.annotations.Benchmark;

/** {@code cuGraphLaunch} of a graph with one kernel. */
public class GraphLaunch {
    @Benchmark
    public int jni(DriverHandles with) {
        return with.result = cudart.cuGraphLaunch(with.jniGraph, with.jniStream);
    }

    @Benchmark
    public int ffm(DriverHandles with) {
        return with.result = CudaDriver.cuGraphLaunch(with.graph, with.stream);
    }

    @Benchmark
    public void checked(DriverHandles with) {
        with.calls.launch(with.typedGraph, with.typedStream);
    }

    @Benchmark
    public void safe(DriverHandles with) {
        with.safeStream.launch(with.safeGraph);
    }
}
