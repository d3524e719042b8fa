package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every call to a device fails once: nothing leaks, the error names call and device, and the next run works. */
class LoopFaultTest {
    private static final String PLAN = "asyncdiff:warmup=1,cut=shell";

    private static FaultInjectingProvider provider() {
        DeviceProvider cpu = Devices.discover().providers().stream().filter(it -> it.name().equals("cpu")).findFirst()
            .orElseThrow();
        return new FaultInjectingProvider(cpu);
    }

    private static List<Device> open(FaultInjectingProvider provider) {
        return Devices.of(provider).open(List.of(DeviceSpec.parse("cpu:1"), DeviceSpec.parse("cpu:1")));
    }

    @ParameterizedTest
    @EnumSource(Faults.Manner.class)
    void whicheverCallOfBuildingAndRunningFailsNothingLeaks(Faults.Manner manner) {
        FaultInjectingProvider provider = provider();
        List<Device> devices = open(provider);
        provider.faults().arm(0, manner);
        float[] expected = TinyDenoiser.run(PLAN, devices);
        int calls = provider.faults().callsSeen();
        assertTrue(calls > 100, "only " + calls + " calls were made");
        for (int call = 1; call <= calls; call++) {
            provider.faults().arm(call, manner);
            int number = call;
            DeviceException failure = assertThrows(DeviceException.class, () -> TinyDenoiser.run(PLAN, devices),
                () -> "call " + number + " failed, and nobody noticed");
            assertTrue(failure.getMessage().contains("injected: call " + call + ",")
                && failure.getMessage().contains("cpu:"), failure.getMessage());
            devices.forEach(device -> assertEquals(0, device.liveObjects(),
                () -> "after call " + number + " failed on " + device.name()));
            provider.faults().disarm();
        }
        assertArrayEquals(expected, TinyDenoiser.run(PLAN, devices), "the next request works");
        devices.reversed().forEach(Device::close);
        System.out.println(calls + " calls failed once each, " + manner);
    }

    @ParameterizedTest
    @EnumSource(Faults.Manner.class)
    void anExecutionWhoseRunFailedRunsAgain(Faults.Manner manner) {
        FaultInjectingProvider provider = provider();
        List<Device> devices = open(provider);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), devices);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            provider.faults().arm(0, manner);
            float[] expected = TinyDenoiser.run(execution, LoopObserver.NONE);
            int calls = provider.faults().callsSeen();
            for (int call = 1; call <= calls; call++) {
                provider.faults().arm(call, manner);
                assertThrows(DeviceException.class, () -> TinyDenoiser.run(execution, LoopObserver.NONE));
                provider.faults().disarm();
                assertArrayEquals(expected, TinyDenoiser.run(execution, LoopObserver.NONE), "after call " + call);
            }
        }
        devices.reversed().forEach(Device::close);
    }
}
