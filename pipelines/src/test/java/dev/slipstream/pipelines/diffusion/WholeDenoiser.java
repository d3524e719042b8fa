package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.graph.Cuts;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.Component;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.plan.Strategies;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A real denoiser with inputs for it, all guided: the sample model's, and those of the reference cases. */
record WholeDenoiser(DenoiserModel model, LoopShape shape) {
    static final Guidance GUIDANCE = Guidance.of(2);

    /** By its folder, upwards from where the test runs; the test is skipped where there is none. */
    static WholeDenoiser find(String folder) {
        Optional<Path> found = Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
            .map(parent -> parent.resolve(folder)).filter(Files::isDirectory).findFirst();
        assumeTrue(found.isPresent(), "there is no folder " + folder + " in or beside the repository");
        ModelFolder model = ModelFolder.open(found.get());
        DenoiserModel denoiser = new DenoiserModel("unet", GraphFile.read(model.require(Component.DENOISER)),
            model.config(Component.DENOISER).map(ConfigFile::root).orElseGet(JsonObject::new),
            model.cuts().map(ConfigFile::path).map(Cuts::read).orElse(List.of()));
        return new WholeDenoiser(denoiser, folder.endsWith("samples/model") ? sample() : reference(denoiser));
    }

    private static LoopShape sample() {
        return new LoopShape(floats(1, 12, 16, 16), 0, true, Map.of("encoder_hidden_states", floats(2, 14, 64)));
    }

    private static LoopShape reference(DenoiserModel denoiser) {
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

    Blueprint blueprint(String plan, int devices) {
        return Blueprint.draw(model, shape, Strategies.parse(plan), devices);
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
            1, new NoiseTable.Next(latent, prediction, List.of(), 0), NoiseTable.Linear.ZERO,
            NoiseTable.Linear.ZERO)).toList());
    }

    /** The last latents. */
    float[] run(String plan, List<Device> devices, NoiseTable noise) {
        try (Denoiser denoiser = Denoiser.build(blueprint(plan, devices.size()), devices);
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
