package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.RealGpus;
import dev.slipstream.pipelines.run.Execution;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole denoisers on real GPUs, an engine of TensorRT a segment, against the CPU provider. */
@Tag("gpu")
class GpuModelsTest {
    private static final float ROUNDING = 1e-4f;

    private final List<Device> opened = new ArrayList<>();

    private List<Device> gpus(int count) {
        DeviceProvider provider = RealGpus.orSkip();
        List<DeviceSpec> specs = provider.list();
        return keep(Devices.of(provider).open(
            IntStream.range(0, count).mapToObj(index -> specs.get(index % specs.size())).toList()));
    }

    private List<Device> cpu() {
        return keep(Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))));
    }

    private List<Device> keep(List<Device> devices) {
        opened.addAll(devices);
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        opened.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        opened.reversed().forEach(Device::close);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "samples/model | sequential | 1", "samples/model | sequential | 2", "samples/model | sequential | 3",
        "samples/model | cfg-split | 2", "samples/model | asyncdiff:warmup=1 | 2",
        "shared/reference/sd21 | sequential | 1", "shared/reference/sd21 | sequential | 2",
        "shared/reference/sd21 | sequential | 3", "shared/reference/sd21 | cfg-split | 2",
        "shared/reference/sdxl | sequential | 1", "shared/reference/sdxl | sequential | 2",
        "shared/reference/sdxl | sequential | 3", "shared/reference/sdxl | cfg-split | 2"})
    void oneCallGivesWhatTheCpuGives(String folder, String plan, int count) {
        List<Device> gpus = gpus(count);
        WholeDenoiser denoiser = WholeDenoiser.find(folder);
        float[] expected = denoiser.run("sequential", cpu(), WholeDenoiser.prediction());
        assertArrayEquals(expected, denoiser.run(plan, gpus, WholeDenoiser.prediction()), ROUNDING);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "samples/model | sequential | 1", "samples/model | asyncdiff:warmup=1 | 2",
        "shared/reference/sd21 | sequential | 1", "shared/reference/sdxl | asyncdiff:warmup=1 | 2"})
    void replayedStepsHaveTheBitsOfDirectOnes(String folder, String plan, int count) {
        List<Device> gpus = gpus(count);
        WholeDenoiser whole = WholeDenoiser.find(folder);
        try (Denoiser denoiser = Denoiser.build(whole.blueprint(plan, count), gpus);
             Execution direct = denoiser.prepare(WholeDenoiser.steps(8), WholeDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withTrace(true));
             Execution replayed =
                 denoiser.prepare(WholeDenoiser.steps(8), WholeDenoiser.GUIDANCE, LoopOptions.DEFAULT)) {
            assertTrue(replayed.replays().replayed() > 0, replayed.replays()::toString);
            float[] expected = whole.run(direct);
            for (int run = 0; run < 3; run++) {
                assertArrayEquals(expected, whole.run(replayed), "run " + run);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"samples/model", "shared/reference/sd21", "shared/reference/sdxl"})
    void theSameRequestGivesTheSameLatents(String folder) {
        List<Device> gpus = gpus(2);
        WholeDenoiser denoiser = WholeDenoiser.find(folder);
        assertArrayEquals(denoiser.run("asyncdiff:warmup=1", gpus, WholeDenoiser.steps(6)),
            denoiser.run("asyncdiff:warmup=1", gpus, WholeDenoiser.steps(6)));
    }
}
