package dev.slipstream.pipelines.model.mmdit;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.config.GraphOptions;
import dev.slipstream.pipelines.model.mmdit.JointBlock.Streams;
import dev.slipstream.pipelines.model.transformer.Patches;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

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
 *
 * <p>Where blocks are to be skipped, the prediction without them is made, too, in a module of its own that begins where
 * the first of them would, and reads the same weights: {@code whole + skipping_scale * (whole - partial)} is what comes
 * out, with {@code skipping_scale} [batch_size]. Where that module makes zeros, {@code whole} comes out.
 */
public final class Sd3Transformer {
    /** The name of the residuals, before their numbers. */
    public static final String RESIDUALS = "block_controlnet_hidden_states";
    /** The module that predicts without some blocks. */
    public static final String SKIPPING = "skipping";
    /** The input for how much more what these blocks add counts, [batch_size]. */
    public static final String SKIPPING_SCALE = "skipping_scale";


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
        Layers layers = new Layers(read.layers(), conditions, residuals);
        Streams first = new Streams(patches.tokens(), stack.text());
        if (options.skipped().isEmpty()) {
            Streams last = layers.apply(stack, root, first, 0, read.layers(), Set.of());
            builder.output("out_hidden_states", stack.predicted(patches, last.picture(), conditions));
            return;
        }
        int begin = options.skipped().first();
        if (begin < 0 || options.skipped().last() >= read.layers()) {
            throw config.wrong("num_layers", "is " + read.layers() + ", so that there are no blocks "
                + options.skipped() + " to be left out");
        }
        Streams shared = layers.apply(stack, root, first, 0, begin, Set.of());
        Value whole = stack.predicted(patches,
            layers.apply(stack, root, shared, begin, read.layers(), Set.of()).picture(), conditions);
        Scope again = root.again(SKIPPING);
        JointStack without = stack.again(SKIPPING);
        Value partial = without.predicted(patches,
            layers.apply(without, again, shared, begin, read.layers(), options.skipped()).picture(), conditions);
        Value scale = again.reshape(builder.input(SKIPPING_SCALE, DataType.FLOAT32, JointStack.BATCH),
            JointStack.BATCH, Dim.ONE, Dim.ONE, Dim.ONE);
        Value missing = again.mul(again.sub(whole, partial), scale);
        builder.output("out_hidden_states", root.child("proj_out").add(whole, missing));
    }

    /** @param residuals of a ControlNet, which are added whether a layer is skipped or not */
    private record Layers(int count, Value conditions, List<Value> residuals) {
        Streams apply(JointStack stack, Scope root, Streams from, int begin, int end, Set<Integer> skipped) {
            Streams streams = from;
            for (int i = begin; i < end; i++) {
                boolean last = i == count - 1;
                streams = skipped.contains(i) ? streams : stack.block(i, streams, conditions, last);
                if (!residuals.isEmpty() && !last) {
                    Value residual = residuals.get((int) (i / ((double) count / residuals.size())));
                    streams = new Streams(root.child("transformer_blocks", i).add(streams.picture(), residual),
                        streams.text());
                }
            }
            return streams;
        }
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
