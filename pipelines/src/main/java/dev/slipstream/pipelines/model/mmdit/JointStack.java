package dev.slipstream.pipelines.model.mmdit;

import dev.slipstream.bridge.DataType;
import dev.slipstream.pipelines.graph.build.Attributes;
import dev.slipstream.pipelines.graph.build.Dim;
import dev.slipstream.pipelines.graph.build.GraphBuilder;
import dev.slipstream.pipelines.graph.build.Scope;
import dev.slipstream.pipelines.graph.build.Value;
import dev.slipstream.pipelines.model.layer.Activation;
import dev.slipstream.pipelines.model.layer.Linear;
import dev.slipstream.pipelines.model.layer.NumberEmbedding;
import dev.slipstream.pipelines.model.mmdit.JointBlock.Streams;
import dev.slipstream.pipelines.model.transformer.Modulation;
import dev.slipstream.pipelines.model.transformer.Patches;
import dev.slipstream.pipelines.model.transformer.Tokens;
import java.util.List;

/** What a denoiser and its ControlNet have in common: inputs, embeddings, and the blocks. */
final class JointStack {
    static final Dim BATCH = Dim.named("batch_size");
    private static final double EPSILON = 1e-6;

    private final Sd3Config config;
    private final GraphBuilder builder;
    private final Scope root;

    JointStack(Sd3Config config, GraphBuilder builder) {
        this(config, builder, builder.root());
    }

    private JointStack(Sd3Config config, GraphBuilder builder, Scope root) {
        this.config = config;
        this.builder = builder;
        this.root = root;
    }

    /** The same layers once more, whose nodes are those of another module. */
    JointStack again(String module) {
        return new JointStack(config, builder, root.again(module));
    }

    /** An input as large as the latents. */
    Value picture(String name, int channels) {
        return builder.input(name, DataType.FLOAT32, BATCH, Dim.of(channels), Dim.named("height"), Dim.named("width"));
    }

    /** The latents' patches with their positions. */
    Patches positioned(Value latents) {
        Scope embedding = root.child("pos_embed");
        Patches patches = Patches.embed(embedding.child("proj"), latents, config.width(), config.patch());
        return new Patches(embedding.add(patches.tokens(), positions(embedding, patches)), patches.grid(),
            patches.side());
    }

    /** The middle of the checkpoint's table. @return [1, patches, width] */
    private Value positions(Scope scope, Patches patches) {
        long side = config.positions();
        Value table = scope.view("pos_embed", new long[] {1, side * side, config.width()}, side, side,
            config.width());
        Value size = scope.concat(0, patches.down(scope), patches.across(scope));
        Value begin = scope.div(scope.sub(scope.integers(side, side), size), scope.integers(2));
        Value crop = scope.node("Slice", List.of(table, begin, scope.add(begin, size), scope.integers(0, 1)),
            Attributes.NONE, DataType.FLOAT32,
            List.of(patches.grid().dim(2), patches.grid().dim(3), Dim.of(config.width())));
        return scope.reshape(crop, Dim.ONE, patches.count(), Dim.of(config.width()));
    }

    /** Timestep and pooled text, activated. @return [rows, width] */
    Value conditions() {
        Scope embedding = root.child("time_text_embed");
        Value time = NumberEmbedding.ofNumbers(embedding.child("timestep_embedder"),
            NumberEmbedding.timestep(builder, DataType.FLOAT32), config.width());
        Value pooled = builder.input("pooled_projections", DataType.FLOAT32, BATCH, Dim.of(config.pooledWidth()));
        Value text = NumberEmbedding.mlp(embedding.child("text_embedder"), pooled, config.width(), Activation.SILU);
        return Activation.SILU.apply(embedding, embedding.add(time, text));
    }

    /** @return [rows, tokens, width] */
    Value text() {
        Value states = builder.input("encoder_hidden_states", DataType.FLOAT32, BATCH, Dim.named("sequence_length"),
            Dim.of(config.textWidth()));
        return Tokens.rows(root, Linear.apply(root.child("context_embedder"), Tokens.matrix(root, states),
            config.width()), states);
    }

    /** The latents that the last layers make of the picture's tokens. */
    Value predicted(Patches patches, Value picture, Value conditions) {
        Value normal = Modulation.continuous(root.child("norm_out"), picture, conditions, EPSILON);
        Value tokens = Linear.apply(root.child("proj_out"), Tokens.matrix(root, normal),
            (long) config.patch() * config.patch() * config.outChannels());
        return patches.picture(root, tokens);
    }

    /** @param textEnds whether the text is only read in this block */
    Streams block(int index, Streams streams, Value conditions, boolean textEnds) {
        return new JointBlock(config.attention(), config.dual().contains(index), textEnds)
            .apply(root.child("transformer_blocks", index), streams, conditions);
    }
}
