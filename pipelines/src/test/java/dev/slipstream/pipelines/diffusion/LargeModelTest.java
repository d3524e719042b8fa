package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.store.EngineStore;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphFile;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.model.weights.StoredType;
import dev.slipstream.pipelines.plan.Strategy;
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
    private long growth;

    @BeforeEach
    void askedFor() {
        assumeTrue(Boolean.getBoolean("large"), "models of real size are tried with -Dlarge=true");
        assumeTrue(Files.isWritable(RESET), "peak memory is measured with Linux's /proc");
    }

    @Test
    void theDenoiserOfSdxlIsSplitWithoutItsWeightsInMemory() throws Exception {
        Path model = folder.resolve("sdxl");
        phase("write the checkpoint", () -> ModelTemplate.of(ModelFamily.SDXL, false).write(model));
        growth = 0;
        DenoiserGraph denoiser = phase("write the graph", () -> read(model));
        PartitionedDenoiser partitioned = phase("fix the shapes and split", () -> draw(denoiser));
        List<Path> files = phase("write the segments", () -> segments(partitioned, folder.resolve("segments")));

        long weights = denoiser.graph().weightBytes();
        System.out.printf("%.2f GB of weights, %d nodes, segments %s%n", weights / 1e9, denoiser.graph().nodes().size(),
            files);
        assertTrue(weights > 5_000_000_000L, weights + " bytes of weights");
        assertTrue(growth < weights / 5, growth + " bytes more in memory, of weights that nothing should read");
        long written = 0;
        for (Path file : files) {
            Graph segment = GraphFile.read(file);
            written += segment.weightBytes();
        }
        // What depends on the time only is in each segment that needs it.
        assertEquals(weights, written, weights * 0.02);
    }

    @Test
    void anEngineFromFloat32MapsItsWeights() throws Exception {
        buildAnEngine(StoredType.F32);
    }

    @Test
    void anEngineFromFloat16MapsItsWeightsInFloat32() throws Exception {
        buildAnEngine(StoredType.F16);
    }

    private void buildAnEngine(StoredType type) throws Exception {
        Path model = folder.resolve("sd15");
        ModelTemplate.of(ModelFamily.SD15, false).withType(type).write(model);
        DenoiserGraph denoiser = read(model);
        LoopShape shape = new LoopShape(TensorType.of(DataType.FLOAT32, 1, 4, 64, 64), 0, true,
            Map.of("encoder_hidden_states", TensorType.of(DataType.FLOAT32, 2, 77, 768)));
        PartitionedDenoiser partitioned = PartitionedDenoiser.of(denoiser, shape, Strategy.parse("sequential"), 1);
        System.setProperty(EngineStore.FOLDER_PROPERTY, folder.resolve("engines").toString());
        long before = status("RssAnon:");
        growth = 0;
        List<Device> devices = Devices.discover().open(List.of(new DeviceSpec("cpu", "1")));
        try (Denoiser _ = phase("build an engine from " + type, () -> Denoiser.build(partitioned, devices))) {
            System.gc();
            long taken = status("RssAnon:") - before;
            System.out.printf("%.2f GB of weights stored, %.2f GB taken by the engine beside mapped files%n",
                denoiser.graph().weightBytes() / 1e9, taken / 1e9);
            // The heap is among it, which has just written a checkpoint.
            assertTrue(taken < 1_500_000_000L, taken + " bytes beside mapped files");
            assertTrue(growth < 3_700_000_000L, growth + " bytes more in memory, of 3.4 GB of weights as float32");
        } finally {
            System.clearProperty(EngineStore.FOLDER_PROPERTY);
        }
        devices.forEach(Device::close);
    }

    private static DenoiserGraph read(Path model) {
        return DenoiserGraph.read(ModelFolder.open(model), ComponentFormat.CHECKPOINT);
    }

    private static PartitionedDenoiser draw(DenoiserGraph denoiser) {
        LoopShape shape = new LoopShape(TensorType.of(DataType.FLOAT32, 1, 4, 128, 128), 0, true,
            Map.of("encoder_hidden_states", TensorType.of(DataType.FLOAT32, 2, 77, 2048),
                "text_embeds", TensorType.of(DataType.FLOAT32, 2, 1280),
                "time_ids", TensorType.of(DataType.FLOAT32, 2, 6)));
        return PartitionedDenoiser.of(denoiser, shape, Strategy.parse("asyncdiff:n=2"), 2);
    }

    private static List<Path> segments(PartitionedDenoiser partitioned, Path folder) {
        return partitioned.plan().stages().stream().map(stage -> stage.segment()).distinct().sorted().map(index -> {
            int stage = partitioned.plan().stages().stream().map(it -> it.segment()).toList().indexOf(index);
            Path file = folder.resolve("segment-" + index + ".onnx");
            GraphFile.write(partitioned.segment(stage).graph(), file);
            return file;
        }).toList();
    }

    private <T> T phase(String name, Callable<T> work) throws Exception {
        System.gc();
        long before = status("VmRSS:");
        // Resets the peak to what is in memory now: proc(5), clear_refs.
        Files.writeString(RESET, "5");
        long begin = System.nanoTime();
        T result = work.call();
        double seconds = (System.nanoTime() - begin) / 1e9;
        long peak = status("VmHWM:");
        growth = Math.max(growth, peak - before);
        System.out.printf("%-28s %7.2f s, peak %.2f GB, %.2f GB more than before%n", name, seconds, peak / 1e9,
            (peak - before) / 1e9);
        return result;
    }

    private static long status(String key) throws IOException {
        return Files.readAllLines(STATUS).stream().filter(line -> line.startsWith(key))
            .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
    }
}
