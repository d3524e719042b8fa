package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every call to a device fails once: nothing leaks, the error names call and device, and the next run works. */
class LoopFaultTest {
    private static final String PLAN = "asyncdiff:warmup=1,cut=shell";
    private static final int RUNS_THAT_FAIL = 5;
    private static final int LIVES_THAT_FAIL = 2;

    private static FaultInjectingProvider provider() {
        DeviceProvider cpu = Devices.discover().providers().stream().filter(it -> it.name().equals("cpu")).findFirst()
            .orElseThrow();
        return new FaultInjectingProvider(cpu);
    }

    private static List<Device> open(FaultInjectingProvider provider, int count) {
        return Devices.of(provider).open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
    }

    @ParameterizedTest
    @EnumSource(Faults.Manner.class)
    void whicheverCallOfBuildingAndRunningFailsNothingLeaks(Faults.Manner manner) {
        FaultInjectingProvider provider = provider();
        List<Device> devices = open(provider, 2);
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
        List<Device> devices = open(provider, 2);
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

    /** Some calls, spread over the run; all of them with {@code -Dfuzz=COUNT} and a large count. */
    private static IntStream some(int calls, int usual) {
        int tries = Math.min(calls, Integer.getInteger("fuzz", usual));
        return IntStream.range(0, tries).map(index -> 1 + (int) ((long) index * calls / tries));
    }

    @ParameterizedTest
    @EnumSource
    void ofEachKindOfPlanARunThatFailsIsNamedLeaksNothingAndRunsAgain(PlanKind kind) {
        FaultInjectingProvider provider = provider();
        List<Device> devices = open(provider, kind.devices());
        PartitionedDenoiser partitioned = kind.partitioned();
        try (Denoiser denoiser = Denoiser.build(partitioned, devices);
             Execution execution = kind.prepare(denoiser)) {
            provider.faults().arm(0, Faults.Manner.THROWN);
            float[] expected = TinyNetwork.run(execution, LoopObserver.NONE);
            int live = live(devices);
            some(provider.faults().callsSeen(), RUNS_THAT_FAIL).forEach(call -> {
                provider.faults().arm(call, Faults.Manner.values()[call % 2]);
                isNamed(partitioned, devices, call, assertThrows(DeviceException.class,
                    () -> TinyNetwork.run(execution, LoopObserver.NONE), () -> "call " + call + " failed"));
                provider.faults().disarm();
                assertEquals(live, live(devices), "after call " + call);
                assertArrayEquals(expected, TinyNetwork.run(execution, LoopObserver.NONE), "after call " + call);
            });
        }
        assertEquals(0, live(devices));
        devices.reversed().forEach(Device::close);
    }

    @ParameterizedTest
    @EnumSource
    void ofEachKindOfPlanWhatCannotBeMadeLeavesNothingBehind(PlanKind kind) throws InterruptedException {
        FaultInjectingProvider provider = provider();
        List<Device> devices = open(provider, kind.devices());
        Set<Call> making = EnumSet.range(Call.ALLOCATE, Call.BIND);
        PartitionedDenoiser partitioned = kind.partitioned();
        provider.faults().arm(0, making, Faults.Manner.THROWN);
        float[] expected = kind.run(partitioned, devices);
        some(provider.faults().callsSeen(), LIVES_THAT_FAIL).forEach(call -> {
            provider.faults().arm(call, making, Faults.Manner.THROWN);
            isNamed(partitioned, devices, call,
                assertThrows(DeviceException.class, () -> kind.run(partitioned, devices)));
            provider.faults().disarm();
            assertEquals(0, live(devices), "after call " + call);
        });
        assertArrayEquals(expected, kind.run(partitioned, devices), "the next request works");
        devices.reversed().forEach(Device::close);
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().matches("(build|cpu:).*")) {
                thread.join(TimeUnit.SECONDS.toMillis(30));
                assertFalse(thread.isAlive(), thread + " is left");
            }
        }
    }

    private static void isNamed(PartitionedDenoiser partitioned, List<Device> devices, int call,
        DeviceException failure) {
        String message = failure.getMessage();
        assertTrue(message.contains("injected: call " + call + ","), message);
        assertTrue(devices.stream().anyMatch(device -> message.contains(device.name())), message);
        assertTrue(!message.contains(" of engine ") || partitioned.plan().segments().stream()
            .anyMatch(segment -> message.contains(" of engine " + segment.name() + ",")), message);
    }

    private static int live(List<Device> devices) {
        return devices.stream().mapToInt(Device::liveObjects).sum();
    }
}
