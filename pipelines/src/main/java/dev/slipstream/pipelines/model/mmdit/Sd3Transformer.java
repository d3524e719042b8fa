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
import dev.slipstream.pipelines.model.transformer.Modulation;
import dev.slipstream.pipelines.model.transformer.Patches;
import dev.slipstream.pipelines.model.transformer.Tokens;
import java.util.ArrayList;
import java.util.List;

/**
 * diffusers' {@code SD3Transformer2DModel} as a graph.
 *
 * <p>Inputs, float32: {@code hidden_states} [batch_size, channels, height, width], the latents; {@code timestep}, noise
 * levels times 1000 (a scalar, one element or one a row); {@code encoder_hidden_states} [batch_size, sequence_length,
 * width] and {@code pooled_projections} [batch_size, width]. Output: {@code out_hidden_states}, like the latents.
 * Height and width are open multiples of the patches' side, up to as many patches as the checkpoint has positions for.
 *
 * <p>Residuals of a ControlNet, {@code block_controlnet_hidden_states.0}, {@code .1}, ... [batch_size, patches, width],
 * are inputs if they are asked for; each serves equally many layers.
 */
public final class Sd3Transformer {
    /** The name of the residuals, before their numbers. */
    public static final String RESIDUALS = "block_controlnet_hidden_states";

    private static final double EPSILON = 1e-6;

    private Sd3Transformer() {
    }

    /**
     * @throws dev.slipstream.pipelines.model.ModelException if an option is wrong or not supported; it is named
     * @throws dev.slipstream.pipelines.graph.GraphException if the checkpoint has too many weights missing; other
     *     complaints come when the graph is built
     */
    public static void write(ConfigFile config, GraphBuilder builder, GraphOptions options) {
        Sd3Config read = Sd3Config.ofTransformer(config);
        JointStack stack = new JointStack(read, builder);
        Scope root = builder.root();
        Patches patches = stack.positioned(stack.picture("hidden_states", read.inChannels()));
        Value conditions = stack.conditions();
        List<Value> residuals = residuals(builder, read, patches, options.count(RESIDUALS));
        Streams streams = new Streams(patches.tokens(), stack.text());
        for (int i = 0; i < read.layers(); i++) {
            boolean last = i == read.layers() - 1;
            streams = stack.block(i, streams, conditions, last);
            if (!residuals.isEmpty() && !last) {
                Value residual = residuals.get((int) (i / ((double) read.layers() / residuals.size())));
                streams = new Streams(root.child("transformer_blocks", i).add(streams.picture(), residual),
                    streams.text());
            }
        }
        Value normal = Modulation.continuous(root.child("norm_out"), streams.picture(), conditions, EPSILON);
        Value predicted = Linear.apply(root.child("proj_out"), Tokens.matrix(root, normal),
            (long) read.patch() * read.patch() * read.outChannels());
        builder.output("out_hidden_states", patches.picture(root, predicted));
    }

    private static List<Value> residuals(GraphBuilder builder, Sd3Config config, Patches patches, int count) {
        List<Value> residuals = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            residuals.add(builder.input(RESIDUALS + "." + i, DataType.FLOAT32, JointStack.BATCH, patches.count(),
                Dim.of(config.width())));
        }
        return residuals;
    }
}
