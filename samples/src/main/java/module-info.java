/** The slipstream command, and the benchmarks. */
module dev.slipstream.samples {
    requires com.microsoft.onnxruntime;
    requires dev.slipstream.pipelines;
    requires info.picocli;
    requires java.logging;
    requires jdk.management;

    opens dev.slipstream.samples to com.google.gson, info.picocli;
    opens dev.slipstream.samples.bench to com.google.gson, info.picocli;
    opens dev.slipstream.samples.run to com.google.gson, info.picocli;
    opens dev.slipstream.samples.verify to info.picocli;
}
