package dev.slipstream.pipelines.cost;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.model.folder.ModelFolder;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.pipelines.plan.Strategy;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HardwareTest {
    @TempDir
    private static Path folder;
    private static final Map<String, Workload> STEPS = new ConcurrentHashMap<>();

    /**
     * Milliseconds a step with guidance that TensorRT or a compiler like it was published to take: fal-ai's benchmarks
     * (A100: 61 and 12.2 steps a second), stable-fast (RTX 4080 52.6 by TensorRT's demo, H100 104.6 and 21.6), and the
     * card of SDXL for TensorRT (A10 30 steps in 8.16 s, with a decoder that took about 0.3).
     */
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"A100,sd15,16.4", "A100,sdxl,82", "RTX4080,sd15,19", "H100,sd15,9.56", "H100,sdxl,46.3",
        "A10,sdxl,262"})
    void stepsTakeWhatWasPublishedWithinAThird(String gpu, String family, double published) {
        DeviceRates rates = Hardware.gpu(gpu, Precision.FP16);
        double millis = (rates.startNanos() + rates.nanos(STEPS.computeIfAbsent(family, HardwareTest::step))) / 1e6;
        System.out.printf("%s, %s: %.1f ms a step, published %.1f%n", gpu, family, millis, published);
        assertEquals(1, millis / published, 0.34);
    }

    @ParameterizedTest
    @CsvSource({"NVIDIA GeForce RTX 4090,RTX4090", "NVIDIA GeForce RTX 3090 Ti,RTX3090", "NVIDIA RTX A6000,A6000",
        "NVIDIA A100-SXM4-80GB,A100", "NVIDIA A10,A10", "NVIDIA L4,L4", "NVIDIA L40S,L40S", "Tesla T4,T4",
        "Tesla V100-SXM2-32GB,V100", "NVIDIA H100 80GB HBM3,H100", "NVIDIA H200,H200", "NVIDIA B200,B200",
        "NVIDIA A10G,", "NVIDIA L40,", "NVIDIA GeForce RTX 2080,", "AMD Radeon RX 7900,"})
    void aGpuIsFoundByWhatItsDriverCallsIt(String driverName, String name) {
        assertEquals(Optional.ofNullable(name), Hardware.named(driverName, Precision.FP16).map(DeviceRates::device));
    }

    @Test
    void whatAGpuDoesNotComputeIsNotEstimated() {
        assertTrue(Hardware.named("Tesla T4", Precision.BF16).isEmpty());
        assertEquals(7, Hardware.named("Tesla T4", Precision.FP16).orElseThrow().withMemory(7).memoryBytes());
    }

    private static Workload step(String family) {
        boolean large = family.equals("sdxl");
        Path model = folder.resolve(family);
        ModelTemplate.of(ModelFamily.of(family), false).hollowed().write(model);
        DenoiserGraph denoiser = DenoiserGraph.read(ModelFolder.open(model), ComponentFormat.CHECKPOINT)
            .withPrecision(Precision.FP16);
        long side = large ? 128 : 64;
        Map<String, TensorType> conditions = new HashMap<>(Map.of("encoder_hidden_states",
            TensorType.of(DataType.FLOAT32, 2, 77, large ? 2048 : 768)));
        if (large) {
            conditions.put("text_embeds", TensorType.of(DataType.FLOAT32, 2, 1280));
            conditions.put("time_ids", TensorType.of(DataType.FLOAT32, 2, 6));
        }
        LoopShape shape = new LoopShape(TensorType.of(DataType.FLOAT32, 1, 4, side, side), 0, true, conditions);
        return Workload.of(PartitionedDenoiser.of(denoiser, shape, Strategy.parse("sequential"), 1).segment(0).graph());
    }

    @Test
    void namesAreFoundHoweverTheyAreWritten() {
        assertEquals(Hardware.gpu("RTX4090", Precision.FP16), Hardware.gpu("NVIDIA GeForce RTX 4090", Precision.FP16));
        assertEquals(Hardware.link("nvlink4"), Hardware.link("NVLink-4"));
    }

    @Test
    void whatIsNotInTheTableIsRefusedWithWhatIs() {
        String gpu = assertThrows(IllegalArgumentException.class, () -> Hardware.gpu("RTX9999", Precision.FP16))
            .getMessage();
        assertTrue(gpu.startsWith("there is no GPU 'RTX9999' in the table; there are T4, V100, "), gpu);
        String type = assertThrows(IllegalArgumentException.class, () -> Hardware.gpu("T4", Precision.BF16))
            .getMessage();
        assertEquals("a T4 does not compute in bf16; take fp16 or fp32", type);
        assertThrows(IllegalArgumentException.class, () -> Hardware.link("pcie9"));
    }

    @Test
    void narrowTypesAreFaster() {
        Workload work = new Workload(1e12, 0, 0, 1e9, 100);
        for (String gpu : List.of("A100", "RTX4090", "T4")) {
            assertTrue(Hardware.gpu(gpu, Precision.FP16).nanos(work) < Hardware.gpu(gpu, Precision.FP32).nanos(work));
        }
    }
}
