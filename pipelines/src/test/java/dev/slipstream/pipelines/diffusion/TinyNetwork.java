package dev.slipstream.pipelines.diffusion;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Denoisers of a few dozen nodes, built like the real ones, so that every plan finds what it divides. */
enum TinyNetwork {
    /** A norm, convolutions at two sizes and attention: all that patches look beyond themselves for. */
    UNET {
        @Override
        Graph graph() {
            TinyLayers layers = new TinyLayers("sample", HEIGHT, WIDTH, TEXT.shape().dim(1), false);
            String entered = layers.conv("/conv_in", "sample", 1);
            String normal = layers.norm("/down_blocks.0/resnets.0/norm1", entered);
            String bent = layers.tanh("/down_blocks.0/resnets.0", layers.conv("/down_blocks.0/resnets.0/conv1", normal,
                1));
            String skip = layers.add("/down_blocks.0/resnets.0", bent, "temb");
            String tokens = layers.tokens("/mid_block", layers.conv("/down_blocks.0/downsamplers.0/conv", skip, 2));
            String seen = layers.attention("/mid_block/attn1", tokens, tokens);
            String read = layers.attention("/mid_block/attn2", seen, TinyLayers.TEXT);
            String large = layers.enlarged("/up_blocks.0/upsamplers.0", layers.pixels("/mid_block", read, WIDTH / 2));
            String joined = layers.add("/up_blocks.0/resnets.0", large, skip);
            String up = layers.tanh("/conv_act", layers.conv("/up_blocks.0/resnets.0/conv1", joined, 1));
            return layers.build(layers.conv("/conv_out", up, 1));
        }

        @Override
        List<Cut> cuts() {
            return List.of(new Cut("chain", List.of(List.of("conv_in", "down_blocks", "mid_block"),
                List.of("up_blocks", "conv_act", "conv_out"))),
                new Cut("shell", List.of(List.of("mid_block"), List.of("conv_in", "down_blocks", "up_blocks",
                    "conv_act", "conv_out"))));
        }
    },

    /** Blocks that attend to the picture and to the text, and add to what enters them. */
    TRANSFORMER {
        private static final int BLOCKS = 4;

        @Override
        Graph graph() {
            TinyLayers layers = new TinyLayers("hidden_states", HEIGHT, WIDTH, TEXT.shape().dim(1), true);
            String tokens = layers.tokens("/pos_embed", "hidden_states");
            for (int block = 0; block < BLOCKS; block++) {
                String module = "/transformer_blocks." + block;
                String seen = layers.attention(module + "/attn1", tokens, tokens);
                String read = layers.attention(module + "/attn2", seen, TinyLayers.TEXT);
                String timed = layers.add(module + "/time", read, "temb");
                tokens = layers.add(module, read, layers.tanh(module + "/ff", timed));
            }
            return layers.build(layers.pixels("/unpatchify", layers.linear("/proj_out", tokens), WIDTH));
        }
    };

    static final TensorType LATENTS = TensorType.of(DataType.FLOAT32, 1, 4, TinyNetwork.HEIGHT, TinyNetwork.WIDTH);
    private static final long HEIGHT = 8;
    private static final long WIDTH = 4;
    private static final TensorType TEXT = TensorType.of(DataType.FLOAT32, 2, 3, 4);

    abstract Graph graph();

    /** Those that are named in plans. */
    List<Cut> cuts() {
        return List.of();
    }

    PartitionedDenoiser partitioned(Strategy strategy, int devices) {
        return PartitionedDenoiser.of(new DenoiserGraph(name().toLowerCase(Locale.ROOT), graph(), new JsonObject(),
            cuts()), new LoopShape(LATENTS, 0, true, Map.of(TinyLayers.TEXT, TEXT)), strategy, devices);
    }

    /** All kinds of terms; for the transformer nothing that looks at whole pictures, so that patches go one by one. */
    NoiseTable noise(int steps) {
        NoiseTable all = TinyDenoiser.noise(steps);
        return this == UNET ? all : new NoiseTable("tiny", 1, all.rows(), Optional.of(new Limit.Clamp(1.5f)));
    }

    Guidance guidance() {
        return this == UNET ? TinyDenoiser.GUIDANCE : Guidance.of(TinyDenoiser.GUIDANCE.weight());
    }

    static Map<String, MemorySegment> given(Arena arena, int steps) {
        int elements = Math.toIntExact(LATENTS.shape().elements());
        return Map.of(Program.LATENTS, drawn(arena, 1, elements), Program.NOISE, drawn(arena, 2, elements * steps),
            TinyLayers.TEXT, drawn(arena, 3, Math.toIntExact(TEXT.shape().elements())));
    }

    private static MemorySegment drawn(Arena arena, long seed, int elements) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, Noise.initialLatents(seed).draw(elements));
    }

    /** Runs a loop. @return the latents after every step, one after another; if it does not keep them, the last */
    static float[] run(Execution execution, LoopObserver observer) {
        try (Arena arena = Arena.ofShared()) {
            execution.run(given(arena, execution.program().steps()), observer);
            return latents(execution, arena);
        }
    }

    /** Those of the last run. */
    static float[] latents(Execution execution, Arena arena) {
        List<Region> places = execution.program().latents();
        int first = places.stream().distinct().count() < places.size() ? places.size() - 1 : 0;
        MemorySegment all = arena.allocate(LATENTS.bytes() * (places.size() - first), 64);
        for (int step = first; step < places.size(); step++) {
            execution.latents(step, all.asSlice((step - first) * LATENTS.bytes(), LATENTS.bytes()));
        }
        return all.toArray(ValueLayout.JAVA_FLOAT);
    }
}
