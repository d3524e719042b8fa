/**
 * Graphs, plans, programs and diffusion pipelines. The API is {@code diffusion}, {@code diffusion.image}, {@code plan}
 * and how they fail, {@code model}, and what ran when, {@code run.timeline}; all else is for Slipstream's own modules
 * and changes without notice.
 */
module dev.slipstream.pipelines {
    requires com.google.gson;
    requires com.google.protobuf;
    requires transitive dev.slipstream.bridge;
    requires static transitive java.desktop;
    requires java.logging;
    requires java.net.http;
    requires jdk.jfr;
    requires jvector;
    requires static org.jspecify;
    requires org.slf4j;
    requires org.tribuo.util.onnx;

    exports dev.slipstream.pipelines.cache to dev.slipstream.samples;
    exports dev.slipstream.pipelines.cost to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion;
    exports dev.slipstream.pipelines.diffusion.calibration to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.component to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.denoise to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.family to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.image;
    exports dev.slipstream.pipelines.diffusion.planning to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.noise to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.noise.config to dev.slipstream.samples;
    exports dev.slipstream.pipelines.diffusion.reuse;
    exports dev.slipstream.pipelines.diffusion.text to dev.slipstream.samples;
    exports dev.slipstream.pipelines.graph to dev.slipstream.samples;
    exports dev.slipstream.pipelines.graph.build to dev.slipstream.samples;
    exports dev.slipstream.pipelines.graph.cut to dev.slipstream.samples;
    exports dev.slipstream.pipelines.graph.fusion to dev.slipstream.samples;
    exports dev.slipstream.pipelines.graph.precision to dev.slipstream.samples;
    exports dev.slipstream.pipelines.graph.shape to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model;
    exports dev.slipstream.pipelines.model.clip to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.config to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.folder to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.hub to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.init to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.kind to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.layer to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.lora to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.original to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.unet to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.vae to dev.slipstream.samples;
    exports dev.slipstream.pipelines.model.weights to dev.slipstream.samples;
    exports dev.slipstream.pipelines.plan;
    exports dev.slipstream.pipelines.run to dev.slipstream.samples;
    exports dev.slipstream.pipelines.run.loop to dev.slipstream.samples;
    exports dev.slipstream.pipelines.run.program to dev.slipstream.samples;
    exports dev.slipstream.pipelines.run.simulate to dev.slipstream.samples;
    exports dev.slipstream.pipelines.run.timeline;
    exports dev.slipstream.pipelines.run.unroll to dev.slipstream.samples;
}
