package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.model.ModelFolder;
import dev.slipstream.pipelines.model.StoredType;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.plan.Strategies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models of real size, which take gigabytes of disk and minutes: {@code -Dlarge=true} switches it on. It prints time
 * and peak memory of each phase; a method run alone gives figures that others did not touch.
 */
class LargeModelTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path RESET = Path.of("/proc/self/clear_refs");

    @TempDir
    private Path folder;
    private long peak;

    @BeforeEach
    void askedFor() {
        assumeTrue(Boolean.getBoolean("large"), "models of real size are tried with -Dlarge=true");
        assumeTrue(Files.isWritable(RESET), "peak memory is measured with Linux's /proc");
    }

    @Test
    void theDenoiserOfSdxlIsSplitWithoutItsWeightsInMemory() throws Exception {
        Path model = folder.resolve("sdxl");
        phase("write the checkpoint", () -> ModelTemplate.of(ModelFamily.SDXL, false).write(model));
        peak = 0;
        DenoiserModel denoiser = phase("write the graph", () -> read(model));
        Blueprint blueprint = phase("fix the shapes and split", () -> draw(denoiser));
        List<Path> files = phase("write the segments", () -> segments(blueprint, folder.resolve("segments")));

        long weights = denoiser.graph().weightBytes();
        System.out.printf("%.2f GB of weights, %d nodes, segments %s%n", weights / 1e9, denoiser.graph().nodes().size(),
            files);
        assertTrue(weights > 5_000_000_000L, weights + " bytes of weights");
        assertTrue(peak < weights / 2, "the weights were in memory: " + peak + " bytes");
        long written = 0;
        for (Path file : files) {
            Graph segment = GraphFile.read(file);
            written += segment.weightBytes();
        }
        // What depends on the time only is in each segment that needs it.
        assertEquals(weights, written, weights * 0.02);
    }

    @Test
    void anEngineFromFloat32TakesTheMemoryOfItsWeights() throws Exception {
        buildAnEngine(StoredType.F32);
    }

    @Test
    void anEngineFromFloat16TakesTheMemoryOfItsWeightsInFloat32() throws Exception {
        buildAnEngine(StoredType.F16);
    }

    private void buildAnEngine(StoredType type) throws Exception {
        Path model = folder.resolve("sd15");
        ModelTemplate.of(ModelFamily.SD15, false).withType(type).write(model);
        DenoiserModel denoiser = read(model);
        LoopShape shape = new LoopShape(TensorType.of(DataType.FLOAT32, 1, 4, 64, 64), 0, true,
            Map.of("encoder_hidden_states", TensorType.of(DataType.FLOAT32, 2, 77, 768)));
        Blueprint blueprint = Blueprint.draw(denoiser, shape, Strategies.parse("sequential"), 1);
        long before = status("RssAnon:");
        List<Device> devices = Devices.discover().open(List.of(new DeviceSpec("cpu", "1")));
        try (Denoiser built = phase("build an engine from " + type, () -> Denoiser.build(blueprint, devices))) {
            System.gc();
            long taken = status("RssAnon:") - before;
            System.out.printf("%.2f GB of weights stored, %.2f GB taken by the engine beside mapped files%n",
                denoiser.graph().weightBytes() / 1e9, taken / 1e9);
            assertTrue(taken > 2_500_000_000L, built + " takes " + taken + " bytes");
        }
        devices.forEach(Device::close);
    }

    private static DenoiserModel read(Path model) {
        return DenoiserModel.read(ModelFolder.open(model), ComponentFormat.CHECKPOINT);
    }

    private static Blueprint draw(DenoiserModel denoiser) {
        LoopShape shape = new LoopShape(TensorType.of(DataType.FLOAT32, 1, 4, 128, 128), 0, true,
            Map.of("encoder_hidden_states", TensorType.of(DataType.FLOAT32, 2, 77, 2048),
                "text_embeds", TensorType.of(DataType.FLOAT32, 2, 1280),
                "time_ids", TensorType.of(DataType.FLOAT32, 2, 6)));
        return Blueprint.draw(denoiser, shape, Strategies.parse("asyncdiff:n=2"), 2);
    }

    private static List<Path> segments(Blueprint blueprint, Path folder) {
        return blueprint.plan().stages().stream().map(stage -> stage.segment()).distinct().sorted().map(index -> {
            int stage = blueprint.plan().stages().stream().map(it -> it.segment()).toList().indexOf(index);
            Path file = folder.resolve("segment-" + index + ".onnx");
            GraphFile.write(blueprint.segment(stage).graph(), file);
            return file;
        }).toList();
    }

    private <T> T phase(String name, Callable<T> work) throws Exception {
        System.gc();
        // Resets the peak to what is in memory now: proc(5), clear_refs.
        Files.writeString(RESET, "5");
        long begin = System.nanoTime();
        T result = work.call();
        double seconds = (System.nanoTime() - begin) / 1e9;
        long now = status("VmHWM:");
        peak = Math.max(peak, now);
        System.out.printf("%-28s %7.2f s, peak %.2f GB%n", name, seconds, now / 1e9);
        return result;
    }

    private static long status(String key) throws IOException {
        return Files.readAllLines(STATUS).stream().filter(line -> line.startsWith(key))
            .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }
}
