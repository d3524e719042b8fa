/** The slipstream command, and the benchmarks. */
module dev.slipstream.samples {
    requires com.google.gson;
    requires dev.slipstream.pipelines;
    requires info.picocli;
    requires java.desktop;
}
