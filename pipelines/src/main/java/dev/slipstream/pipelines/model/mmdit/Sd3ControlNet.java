package dev.slipstream.pipelines.model.mmdit;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.mmdit.JointBlock.Streams;
import dev.slipstream.pipelines.model.transformer.Patches;
import dev.slipstream.pipelines.model.transformer.Tokens;

/**
 * diffusers' {@code SD3ControlNetModel} as a graph.
 *
 * <p>Inputs are those of {@link Sd3Transformer}, {@code controlnet_cond} float32[batch_size, channels, height, width],
 * the latents of the picture that controls, and {@code conditioning_scale} float32[1]. Outputs: {@code
 * controlnet_block_samples.0}, {@code .1}, ... [batch_size, patches, width], one for each layer, scaled.
 */
public final class Sd3ControlNet {
    private Sd3ControlNet() {
    }

    /** @throws dev.slipstream.pipelines.model.ModelException naming the option that is wrong or not supported */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        Sd3Config read = Sd3Config.ofControlNet(config);
        JointStack stack = new JointStack(read, builder);
        Scope root = builder.root();
        Patches patches = stack.positioned(stack.picture("hidden_states", read.inChannels()));
        Value conditions = stack.conditions();
        Value text = stack.text();
        Patches control = Patches.embed(root.child("pos_embed_input").child("proj"),
            stack.picture("controlnet_cond", read.inChannels() + read.extraChannels()), read.width(), read.patch());
        Value scale = builder.input("conditioning_scale", DataType.FLOAT32, Dim.ONE);
        Streams streams = new Streams(root.add(patches.tokens(), control.tokens()), text);
        for (int i = 0; i < read.layers(); i++) {
            streams = stack.block(i, streams, conditions, false);
            Value residual = Linear.apply(root.child("controlnet_blocks", i),
                Tokens.matrix(root, streams.picture()), read.width());
            builder.output("controlnet_block_samples." + i,
                root.mul(Tokens.rows(root, residual, streams.picture()), scale));
        }
    }
}
