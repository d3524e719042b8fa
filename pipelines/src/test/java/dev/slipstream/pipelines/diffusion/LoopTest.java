package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Loops of a tiny denoiser on real devices. */
class LoopTest {
    private final Devices providers = Devices.discover();
    private List<Device> devices = List.of();

    private List<Device> open(int count) {
        devices = providers.open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        devices.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        devices.reversed().forEach(Device::close);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 2", "sequential | 3", "cfg-split | 2",
        "asyncdiff:warmup=6,cut=chain | 2", "asyncdiff:warmup=6,cut=shell | 2",
        "asyncdiff:warmup=1,tail=5,cut=shell,stride=2,form=paper | 2"})
    void slipZeroIsTheUnsplitModelBitForBit(String plan, int count) {
        List<Device> all = open(count);
        assertArrayEquals(TinyDenoiser.run("sequential", all.subList(0, 1)), TinyDenoiser.run(plan, all));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"asyncdiff:warmup=1,cut=chain | 2", "asyncdiff:warmup=1,cut=shell | 2",
        "asyncdiff:n=3,warmup=2 | 3", "asyncdiff:warmup=1,stride=2,cut=chain | 2",
        "asyncdiff:warmup=1,stride=2,form=paper,n=2,cut=chain | 3"})
    void slipChangesTheLatentsAndNotTheNextRun(String plan, int count) {
        List<Device> all = open(count);
        float[] exact = TinyDenoiser.run("sequential", all.subList(0, 1));
        float[] first = TinyDenoiser.run(plan, all);
        assertFalse(Arrays.equals(exact, first), "a lagging value must show");
        assertArrayEquals(first, TinyDenoiser.run(plan, all), "the same request gives the same latents");
    }

    @Test
    void anExecutionCanRunAgainAfterItWasCancelled() {
        List<Device> all = open(2);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=chain", 2), all);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            float[] expected = TinyDenoiser.run(execution, LoopObserver.NONE);
            assertThrows(CancellationException.class, () -> TinyDenoiser.run(execution, new LoopObserver() {
                private int asked;

                @Override
                public boolean isCancelled() {
                    return ++asked > 3;
                }
            }));
            assertArrayEquals(expected, TinyDenoiser.run(execution, LoopObserver.NONE));
        }
    }

    @Test
    void progressComesOnceForEveryStepInOrder() {
        List<Device> all = open(2);
        StringBuilder seen = new StringBuilder();
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=chain", 2), all);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            TinyDenoiser.run(execution, new LoopObserver() {
                @Override
                public void stepDone(int step, int steps) {
                    seen.append(step).append('/').append(steps).append(' ');
                }
            });
        }
        assertEquals("0/6 1/6 2/6 3/6 4/6 5/6 ", seen.toString());
    }

    @Test
    void aTracedRunSaysWhatRanWhereAndWhen() {
        List<Device> all = open(2);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=chain", 2), all);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, true)) {
            TinyDenoiser.run(execution, LoopObserver.NONE);
            Timeline timeline = execution.timeline();
            assertEquals(execution.program().engineRuns(), TinyDenoiser.stages(timeline).size());
            assertTrue(timeline.spans().stream().allMatch(span ->
                span.startNanos() >= 0 && span.endNanos() >= span.startNanos() && span.busyNanos() >= 0));
            assertEquals(2, timeline.medianBusyNanos().size());
            assertEquals(2, timeline.devices());
            assertEquals(Set.of("c0", "c1"), Set.copyOf(timeline.stages()));
            assertTrue(timeline.utilisation() > 0 && timeline.utilisation() < 1, () -> "" + timeline.utilisation());
        }
    }

    @Test
    void aTracedRunAndASimulatedOneHaveTheSameSpans() {
        List<Device> all = open(2);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=chain", 2), all);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, true)) {
            TinyDenoiser.run(execution, LoopObserver.NONE);

            Timeline measured = execution.timeline();
            Timeline simulated =
                Simulator.simulate(execution.program(), Machine.ideal(2, (device, work) -> 1)).timeline();

            assertEquals(launches(simulated), launches(measured));
            assertEquals(simulated.flows(), measured.flows());
            assertTrue(measured.spans().stream().anyMatch(span -> span.activity() instanceof Activity.Wait));
        }
    }

    /** What was launched, apart from when. */
    private static List<String> launches(Timeline timeline) {
        return timeline.spans().stream().filter(span -> !(span.activity() instanceof Activity.Wait))
            .map(span -> span.instruction() + " " + span.lane() + " " + span.step() + " " + span.activity()).toList();
    }

    @Test
    void aMissingConditionIsNamedAndNothingIsLost() {
        List<Device> all = open(1);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("sequential", 1), all);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            String message = assertThrows(IllegalArgumentException.class,
                () -> execution.run(java.util.Map.of(), LoopObserver.NONE)).getMessage();
            assertTrue(message.contains("none were given"), message);
            assertEquals(24 * TinyDenoiser.STEPS, TinyDenoiser.run(execution, LoopObserver.NONE).length);
        }
    }
}
