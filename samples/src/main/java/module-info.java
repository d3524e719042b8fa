/** The slipstream command, and the benchmarks. */
module dev.slipstream.samples {
    requires dev.slipstream.pipelines;
    requires info.picocli;
    requires java.logging;
    requires jdk.management;

    opens dev.slipstream.samples to info.picocli, com.google.gson;
}
