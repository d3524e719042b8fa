/** Graphs, plans, programs and diffusion pipelines. */
module dev.slipstream.pipelines {
    requires ai.djl.tokenizers;
    requires java.desktop;
    requires org.slf4j;
    requires transitive com.google.gson;
    requires transitive com.google.protobuf;
    requires transitive dev.slipstream.bridge;
    requires transitive org.tribuo.util.onnx;

    exports dev.slipstream.pipelines.graph;
}
