/** Graphs, plans, programs and diffusion pipelines. */
module dev.slipstream.pipelines {
    requires org.slf4j;
    requires transitive com.google.gson;
    requires transitive com.google.protobuf;
    requires transitive dev.slipstream.bridge;
    requires transitive org.tribuo.util.onnx;

    exports dev.slipstream.pipelines.diffusion;
    exports dev.slipstream.pipelines.diffusion.image;
    exports dev.slipstream.pipelines.diffusion.noise;
    exports dev.slipstream.pipelines.diffusion.text;
    exports dev.slipstream.pipelines.graph;
    exports dev.slipstream.pipelines.graph.build;
    exports dev.slipstream.pipelines.graph.fusion;
    exports dev.slipstream.pipelines.graph.precision;
    exports dev.slipstream.pipelines.graph.shape;
    exports dev.slipstream.pipelines.model;
    exports dev.slipstream.pipelines.model.clip;
    exports dev.slipstream.pipelines.model.init;
    exports dev.slipstream.pipelines.model.inventory;
    exports dev.slipstream.pipelines.model.layer;
    exports dev.slipstream.pipelines.model.lora;
    exports dev.slipstream.pipelines.model.unet;
    exports dev.slipstream.pipelines.model.vae;
    exports dev.slipstream.pipelines.plan;
    exports dev.slipstream.pipelines.run;
}
