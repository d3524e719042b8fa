package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.FaultInjectingProvider;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.bridge.cpu.TestGate;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.LoopStuckException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Loops in which something never ends: behind gates that nobody opens. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class StuckLoopTest {
    private static final LoopOptions IMPATIENT = LoopOptions.DEFAULT.withPatience(Duration.ofMillis(300));
    private static final String PLAN = "asyncdiff:warmup=1,cut=chain";

    private final FaultInjectingProvider provider = new FaultInjectingProvider(Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow());
    private List<Device> devices = List.of();

    private List<Device> open(int count) {
        devices = Devices.of(provider).open(
            IntStream.range(0, count).mapToObj(index -> DeviceSpec.parse("cpu:1")).toList());
        return devices;
    }

    @AfterEach
    void closingDoesNotHangAndNothingStaysOpen() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    private LoopStuckException stuck(Call call, int number) {
        return stuck(PLAN, call, number);
    }

    private LoopStuckException stuck(String plan, Call call, int number) {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(plan, 2), open(2));
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE,
                 IMPATIENT.withKeptLatents(true))) {
            provider.faults().hold(number, EnumSet.of(call), TestGate::block);
            LoopStuckException stuck = assertThrows(LoopStuckException.class,
                () -> TinyDenoiser.run(execution, LoopObserver.NONE));
            assertThrows(DeviceLostException.class, () -> TinyDenoiser.run(execution, LoopObserver.NONE));
            return stuck;
        }
    }

    @Test
    void theFirstRunThatNeverEndsIsNamedAndWhoWaitsForIt() {
        String message = stuck(Call.RUN, 1).getMessage();
        assertTrue(message.matches("step 1 of 6 was not done within 300 ms: cpu:0 runs \\S+ of step 1, "
            + "cpu:1 waits in step 1 for \\S+ on cpu:0 \\(step 1\\); cpu:0 had to be given up, .*"), message);
    }

    @Test
    void anyRunThatNeverEndsIsToldOfInOneSentence() {
        for (int number = 2; number <= 8; number++) {
            String message = stuck(Call.RUN, number).getMessage();
            assertTrue(message.matches("step \\d of 6 was not done within 300 ms: .*cpu:\\d runs .* of step \\d.*"),
                message);
            assertFalse(message.contains("\n"), message);
            closingDoesNotHangAndNothingStaysOpen();
        }
    }

    /** The host waits for the number in vain; what was left out before is not what the device is stuck in. */
    @Test
    void aNumberToDecideByThatNeverComesIsToldOf() {
        String message = stuck("cfg-split+cache:decide=first-block,threshold=1000,warmup=1", Call.COMPARE, 3)
            .getMessage();
        assertTrue(message.matches("what is decided by at step 3 of 6 was not done within 300 ms: "
            + "cpu:0 runs c0.0 of step 3; cpu:0 had to be given up, .*"), message);
        assertFalse(message.contains("c1"), message);
    }

    @Test
    void otherDevicesStayUsable() {
        List<Device> all = open(3);
        float[] expected = TinyDenoiser.run("sequential", all.subList(2, 3));
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), all.subList(0, 2));
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, IMPATIENT)) {
            provider.faults().hold(1, EnumSet.of(Call.RUN), TestGate::block);
            assertThrows(LoopStuckException.class, () -> TinyDenoiser.run(execution, LoopObserver.NONE));
        }
        assertThrows(DeviceLostException.class, all.get(0)::newEvent);
        all.get(1).newEvent().close();
        assertArrayEquals(expected, TinyDenoiser.run("sequential", all.subList(2, 3)));
        assertArrayEquals(expected, TinyDenoiser.run("sequential", all.subList(1, 2)));
    }

    @Test
    void anUploadThatNeverEndsIsToldOfToo() {
        String message = stuck(Call.UPLOAD, 1).getMessage();
        assertTrue(message.startsWith("what the host uploads was not done within 300 ms: cpu:0 does not end"), message);
    }
}
