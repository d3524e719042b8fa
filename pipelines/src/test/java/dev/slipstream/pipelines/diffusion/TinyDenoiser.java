package dev.slipstream.pipelines.diffusion;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphSketch;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A denoiser of a dozen elementwise nodes, shaped like the real ones, which runs in microseconds. */
final class TinyDenoiser {
    static final int STEPS = 6;
    /** Rescaled, so that this is in every loop, too. */
    static final Guidance GUIDANCE = new Guidance(3, 0.5);
    static final TensorType LATENTS = TensorType.of(DataType.FLOAT32, 1, 4, 2, 3);

    private TinyDenoiser() {
    }

    /** Modules conv_in, down, mid, up, conv_out in a chain, with a skip from down to up. */
    static DenoiserGraph model() {
        Graph graph = new GraphSketch().input("sample", -1, 4, 2, 3).input("timestep", 1)
            .input("encoder_hidden_states", -1, 1, 2, 3)
            .weight("scale", new float[] {0.001f}, 1).weight("half", new float[] {0.5f}, 1)
            .node("Mul", "/time/Mul", List.of("timestep", "scale"), "temb")
            .node("Tanh", "/conv_in/Tanh", List.of("sample"), "h0")
            .node("Add", "/down/Add", List.of("h0", "temb"), "h1")
            .node("Sigmoid", "/down/Sigmoid", List.of("h1"), "skip")
            .node("Mul", "/mid/Mul", List.of("skip", "encoder_hidden_states"), "h2")
            .node("Sin", "/mid/Sin", List.of("h2"), "h3")
            .node("Add", "/up/Add", List.of("h3", "skip"), "h4")
            .node("Add", "/up/Add_1", List.of("h4", "temb"), "h5")
            .node("Cos", "/conv_out/Cos", List.of("h5"), "h6")
            .node("Mul", "/conv_out/Mul", List.of("h6", "half"), "out_sample")
            .output("out_sample", -1, 4, 2, 3).build();
        return new DenoiserGraph("tiny", graph, new JsonObject(), List.of(
            new Cut("chain", List.of(List.of("conv_in", "down", "mid"), List.of("up", "conv_out"))),
            new Cut("shell", List.of(List.of("mid"), List.of("conv_in", "down", "up", "conv_out"))),
            new Cut("three", List.of(List.of("conv_in", "down"), List.of("mid"), List.of("up", "conv_out")))));
    }

    /** A transformer of three blocks, each of which adds to what enters it. */
    static DenoiserGraph blocks() {
        GraphSketch sketch = new GraphSketch().input("sample", -1, 4, 2, 3).input("timestep", 1)
            .input("encoder_hidden_states", -1, 1, 2, 3)
            .weight("scale", new float[] {0.001f}, 1).weight("half", new float[] {0.5f}, 1)
            .node("Mul", "/time/Mul", List.of("timestep", "scale"), "temb")
            .node("Tanh", "/embed/Tanh", List.of("sample"), "h0");
        for (int block = 0; block < 3; block++) {
            String module = "/blocks." + block + "/";
            String next = "h" + (block + 1);
            sketch.node("Mul", module + "Mul", List.of("h" + block, "encoder_hidden_states"), next + "m")
                .node("Sin", module + "Sin", List.of(next + "m"), next + "s")
                .node("Add", module + "Add", List.of(next + "s", "temb"), next + "a")
                .node("Add", module + "Add_1", List.of(next + "a", "h" + block), next);
        }
        return new DenoiserGraph("tiny", sketch.node("Cos", "/out/Cos", List.of("h3"), "c")
            .node("Mul", "/out/Mul", List.of("c", "half"), "out_sample").output("out_sample", -1, 4, 2, 3).build(),
            new JsonObject(), List.of());
    }

    /** Of the transformer where the plan decides by its first block. */
    static PartitionedDenoiser partitioned(String plan, int devices) {
        Strategy strategy = Strategy.parse(plan);
        return partitioned(strategy.decides() ? blocks() : model(), strategy, devices);
    }

    /** @param model with the inputs of these */
    static PartitionedDenoiser partitioned(DenoiserGraph model, Strategy strategy, int devices) {
        return PartitionedDenoiser.of(model, new LoopShape(LATENTS, 0, true,
            Map.of("encoder_hidden_states", TensorType.of(DataType.FLOAT32, 2, 1, 2, 3))), strategy, devices);
    }

    /** A table with a limit that looks back three steps and has noise of three, so that every kind of term is in it. */
    static NoiseTable noise() {
        return noise(STEPS);
    }

    static NoiseTable noise(int steps) {
        List<Row> rows = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            List<Double> past = List.of(0.1, -0.04, 0.02).subList(0, Math.min(step, 3));
            List<Double> pastNoise = List.of(0.03, -0.02).subList(0, Math.min(step, 2));
            rows.add(new Row(900 - step, 0.9, new LinearForm(0.6, -0.3, 0.2, past, 0.05, pastNoise),
                new LinearForm(0.2, 0.4, -0.1), new LinearForm(0, 0.1, 0.9)).withClean(new LinearForm(1.1, -0.6)));
        }
        return new NoiseTable("tiny", 1, rows, Optional.of(new Limit.DynamicThreshold(0.9f, 1.5f)));
    }

    static Map<String, MemorySegment> given(Arena arena) {
        return given(arena, STEPS);
    }

    static Map<String, MemorySegment> given(Arena arena, int steps) {
        return Map.of(Program.LATENTS, floats(arena, Noise.initialLatents(1).draw(24)),
            Program.NOISE, floats(arena, Noise.initialLatents(2).draw(24 * steps)),
            "encoder_hidden_states", floats(arena, Noise.initialLatents(3).draw(12)));
    }

    private static MemorySegment floats(Arena arena, float[] values) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
    }

    /** The latents after every step, one after another. */
    static float[] run(String plan, List<Device> devices) {
        return run(plan, devices, noise(), GUIDANCE);
    }

    static float[] run(String plan, List<Device> devices, NoiseTable noise, Guidance guidance) {
        PartitionedDenoiser partitioned = partitioned(plan, devices.size());
        try (Denoiser denoiser = Denoiser.build(partitioned, devices);
             Execution execution = denoiser.prepare(noise, guidance, true, false)) {
            return run(execution, LoopObserver.NONE);
        }
    }

    static float[] run(Execution execution, LoopObserver observer) {
        try (Arena arena = Arena.ofShared()) {
            execution.run(given(arena), observer);
            MemorySegment all = arena.allocate(LATENTS.bytes() * STEPS, 64);
            for (int step = 0; step < STEPS; step++) {
                execution.latents(step, all.asSlice(step * LATENTS.bytes(), LATENTS.bytes()));
            }
            return all.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** When stages ran. */
    static List<Span> stages(Timeline timeline) {
        return timeline.spans().stream().filter(span -> span.activity() instanceof Activity.Stage).toList();
    }
}
