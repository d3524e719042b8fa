package dev.slipstream.pipelines.diffusion;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.model.folder.Component;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** A real denoiser with inputs for it, all guided: the sample model's, and those of the reference cases. */
record WholeDenoiser(DenoiserGraph model, LoopShape shape) {
    static final Guidance GUIDANCE = Guidance.of(2);

    /** By its folder, upwards from where the test runs; the test is skipped where there is none. */
    static WholeDenoiser find(String folder) {
        boolean sample = folder.equals("samples/model");
        ModelFolder model = ModelFolder.open(sample ? ReferenceFiles.above(Path.of(folder)).orElseThrow()
            : ReferenceFiles.orSkip("reference", folder));
        DenoiserGraph denoiser = new DenoiserGraph("unet", GraphFile.read(model.require(Component.DENOISER)),
            model.config(Component.DENOISER).map(ConfigFile::root).orElseGet(JsonObject::new),
            model.cuts().map(ConfigFile::path).map(Cuts::read).orElse(List.of()));
        return new WholeDenoiser(denoiser, sample ? sample() : reference(denoiser));
    }

    private static LoopShape sample() {
        return new LoopShape(floats(1, 12, 16, 16), 0, true, Map.of("encoder_hidden_states", floats(2, 14, 64)));
    }

    private static LoopShape reference(DenoiserGraph denoiser) {
        Map<String, TensorType> all = Map.of("encoder_hidden_states", floats(2, 7, 32), "text_embeds", floats(2, 16),
            "time_ids", floats(2, 6));
        Map<String, TensorType> conditions = new HashMap<>();
        denoiser.ports().conditions().forEach(name -> conditions.put(name, all.get(name)));
        return new LoopShape(floats(1, 4, 16, 16), 0, true, conditions);
    }

    private static TensorType floats(long... dims) {
        return TensorType.of(DataType.FLOAT32, dims);
    }

    /** The same with the denoiser in another precision. */
    WholeDenoiser in(Precision precision) {
        return new WholeDenoiser(model.withPrecision(precision), shape);
    }

    PartitionedDenoiser partitioned(String plan, int devices) {
        return PartitionedDenoiser.of(model, shape, Strategy.parse(plan), devices);
    }

    /** A loop of one step whose latents are the prediction. */
    static NoiseTable prediction() {
        return table(1, 0, 1);
    }

    /** A loop of so many steps that stays near where it starts, however wild the denoiser. */
    static NoiseTable steps(int steps) {
        return table(steps, 0.9, -0.05);
    }

    private static NoiseTable table(int steps, double latent, double prediction) {
        return new NoiseTable("test", 1, IntStream.range(0, steps).mapToObj(step -> new NoiseTable.Row(900 - 50 * step,
            1, new LinearForm(latent, prediction, List.of(), 0), LinearForm.ZERO,
            LinearForm.ZERO)).toList());
    }

    /** The last latents. */
    float[] run(String plan, List<Device> devices, NoiseTable noise) {
        try (Denoiser denoiser = Denoiser.build(partitioned(plan, devices.size()), devices);
             Execution execution = denoiser.prepare(noise, GUIDANCE, LoopOptions.DEFAULT)) {
            return run(execution);
        }
    }

    float[] run(Execution execution) {
        try (Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> given = new HashMap<>();
            given.put(Program.LATENTS, normal(shape.latents(), 1, arena));
            shape.conditions().forEach((name, type) -> given.put(name, normal(type, name.hashCode(), arena)));
            execution.run(given, LoopObserver.NONE);
            MemorySegment latents = arena.allocate(shape.latents().bytes(), 64);
            execution.latents(execution.program().steps() - 1, latents);
            return latents.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static MemorySegment normal(TensorType type, long seed, Arena arena) {
        return arena.allocateFrom(ValueLayout.JAVA_FLOAT,
            Noise.initialLatents(seed).draw(Math.toIntExact(type.shape().elements())));
    }
}
