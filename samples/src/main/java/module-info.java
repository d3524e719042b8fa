/** The slipstream command, and the benchmarks. */
module dev.slipstream.samples {
    requires com.google.gson;
    requires com.google.protobuf;
    requires com.microsoft.onnxruntime;
    requires dev.slipstream.pipelines;
    requires info.picocli;
    requires java.logging;
    requires jdk.management;
    requires org.tribuo.util.onnx;

    opens dev.slipstream.samples to info.picocli;
    opens dev.slipstream.samples.bench to com.google.gson, info.picocli;
    opens dev.slipstream.samples.calibrate to info.picocli;
    opens dev.slipstream.samples.doctor to com.google.gson, info.picocli;
    opens dev.slipstream.samples.engines to com.google.gson, info.picocli;
    opens dev.slipstream.samples.generate to com.google.gson, info.picocli;
    opens dev.slipstream.samples.latents to com.google.gson, info.picocli;
    opens dev.slipstream.samples.model to com.google.gson, info.picocli;
    opens dev.slipstream.samples.options to info.picocli;
    opens dev.slipstream.samples.plan to com.google.gson, info.picocli;
    opens dev.slipstream.samples.run to info.picocli;
    opens dev.slipstream.samples.schema to info.picocli;
    opens dev.slipstream.samples.shell to info.picocli;
    opens dev.slipstream.samples.terminal to info.picocli;
    opens dev.slipstream.samples.verify to info.picocli;
}
