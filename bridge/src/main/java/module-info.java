/** Devices, streams, events, buffers and engines: one neutral API, and the providers behind it. */
module dev.slipstream.bridge {
    requires com.microsoft.onnxruntime;
    requires dev.slipstream.jextract;
    requires java.logging;
    requires java.management;
    requires jdk.jfr;
    requires jdk.management;
    requires static org.jspecify;
    requires org.slf4j;

    exports dev.slipstream.bridge;
    exports dev.slipstream.bridge.cpu to dev.slipstream.samples;
    exports dev.slipstream.bridge.file to dev.slipstream.pipelines, dev.slipstream.samples;
    exports dev.slipstream.bridge.provider;
    exports dev.slipstream.bridge.store to dev.slipstream.pipelines, dev.slipstream.samples;

    uses dev.slipstream.bridge.DeviceProvider;
    uses dev.slipstream.bridge.cuda.EngineCompiler;

    provides dev.slipstream.bridge.DeviceProvider with
        dev.slipstream.bridge.cpu.CpuProvider,
        dev.slipstream.bridge.cuda.CudaProvider;
    provides dev.slipstream.bridge.cuda.EngineCompiler with dev.slipstream.bridge.tensorrt.TensorRtCompiler;
}
