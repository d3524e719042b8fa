package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.StandardGraphsProvider;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every strategy through the CUDA provider, on the stand-in for its driver: the CPU provider's latents, bit for bit.
 */
class CudaLoopTest {
    /** Enough that all steps recur. */
    private static final int STEPS = 16;
    private static final DeviceProvider CPU = Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow();

    /** Where there are fewer GPUs than devices, some share one; with more, some would be idle. */
    @ParameterizedTest
    @EnumSource
    void everyPlanGivesTheLatentsOfTheCpuOnOneTwoAndFourGpus(PlanKind kind) {
        List<Device> cpus = Devices.of(new StandardGraphsProvider(CPU))
            .open(Collections.nCopies(kind.devices(), DeviceSpec.parse("cpu:1")));
        PartitionedDenoiser partitioned = kind.partitioned();
        float[] expected;
        try (Denoiser denoiser = Denoiser.build(partitioned, cpus);
             Execution execution = kind.prepare(denoiser, STEPS)) {
            expected = TinyNetwork.run(execution, LoopObserver.NONE);
        }
        cpus.reversed().forEach(Device::close);
        for (int count = 1; count <= kind.devices(); count *= 2) {
            try (FakeGpus gpus = FakeGpus.orSkip(count)) {
                List<Device> opened = gpus.open(kind.devices());
                try (Denoiser denoiser = Denoiser.build(partitioned, opened);
                     Execution execution = kind.prepare(denoiser, STEPS)) {
                    assertTrue(execution.captureStats().captured() > 0, execution.captureStats()::toString);
                    for (String run : List.of("as it is", "captured", "replayed")) {
                        assertArrayEquals(expected, TinyNetwork.run(execution, LoopObserver.NONE),
                            run + " on " + count + " GPUs");
                    }
                }
                opened.reversed().forEach(Device::close);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 3", "asyncdiff:warmup=1,cut=shell,staleness=reference | 2",
        "asyncdiff:n=4,warmup=1 | 4", "asyncdiff:warmup=1,tail=1,stride=2,cut=chain | 2",
        "asyncdiff:n=4,warmup=1,stride=2,form=paper | 5"})
    void everySettingOfAsyncDiffGivesTheLatentsOfTheCpu(String plan, int devices) {
        float[] expected = onCpu(plan, devices);
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            List<Device> opened = gpus.open(devices);
            assertArrayEquals(expected, TinyDenoiser.run(plan, opened));
            opened.reversed().forEach(Device::close);
        }
    }

    /** Copies between GPUs stay outside of recordings. Where they may be inside, the driver decides. */
    @ParameterizedTest
    @CsvSource({"false, false", "true, true", "true, false"})
    void copiesBetweenGpusAreCapturedOnlyWhereTheyMayBeAndTheLatentsAreTheSame(boolean wanted, boolean possible) {
        String plan = "sequential";
        float[] expected = onCpu(plan, 2);
        try (FakeGpus gpus = wanted ? FakeGpus.capturingPeerCopies(2) : FakeGpus.orSkip(2);
             LoggedWarnings refused = LoggedWarnings.ofReplays()) {
            if (possible) {
                gpus.driver().capturePeerCopies();
            }
            List<Device> opened = gpus.open(2);
            try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(plan, 2), opened);
                 Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
                for (int run = 0; run < 3; run++) {
                    assertArrayEquals(expected, TinyDenoiser.run(execution, LoopObserver.NONE));
                }
            }
            opened.reversed().forEach(Device::close);
            assertEquals(wanted && !possible ? 1 : 0, refused.messages().size(), refused.messages()::toString);
        }
    }

    private static float[] onCpu(String plan, int devices) {
        List<Device> opened = Devices.discover().open(Collections.nCopies(devices, DeviceSpec.parse("cpu:1")));
        try {
            return TinyDenoiser.run(plan, opened);
        } finally {
            opened.reversed().forEach(Device::close);
        }
    }
}
