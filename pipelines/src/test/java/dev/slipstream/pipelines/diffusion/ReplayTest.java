package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.CapturingProvider;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceProvider;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.Faults;
import dev.slipstream.bridge.Faults.Call;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.run.CaptureStats;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Loops on devices that record and replay, against the same loops on devices that do not. */
class ReplayTest {
    private static final int STEPS = 12;
    /** Enough that those which do something else at every fourth step recur. */
    private static final int KIND_STEPS = 20;
    private static final String PLAN = "asyncdiff:warmup=1,cut=shell";

    private final DeviceProvider cpu = Devices.discover().providers().stream()
        .filter(it -> it.name().equals("cpu")).findFirst().orElseThrow();
    private final CapturingProvider provider = new CapturingProvider(cpu);
    private final List<Device> opened = new ArrayList<>();

    private List<Device> open(DeviceProvider from, int count) {
        List<Device> devices = Devices.of(from).open(Collections.nCopies(count, DeviceSpec.parse("cpu:1")));
        opened.addAll(devices);
        return devices;
    }

    @AfterEach
    void nothingIsLeftOnTheDevices() {
        opened.forEach(device -> assertEquals(0, device.liveObjects(), device.name()));
        opened.reversed().forEach(Device::close);
    }

    private static Execution prepare(Denoiser denoiser) {
        return denoiser.prepare(TinyDenoiser.noise(STEPS), TinyDenoiser.GUIDANCE, LoopOptions.DEFAULT);
    }

    /** The latents after the last step. */
    private static float[] run(Execution execution, LoopObserver observer) {
        try (Arena arena = Arena.ofShared()) {
            execution.run(TinyDenoiser.given(arena, STEPS), observer);
            MemorySegment last = arena.allocate(TinyDenoiser.LATENTS.bytes(), 64);
            execution.latents(STEPS - 1, last);
            return last.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @ParameterizedTest
    @EnumSource
    void replayedLoopsGiveTheSameBits(PlanKind kind) {
        PartitionedDenoiser partitioned = kind.partitioned();
        float[] expected;
        try (Denoiser denoiser = Denoiser.build(partitioned, open(cpu, kind.devices()));
             Execution direct = kind.prepare(denoiser, KIND_STEPS)) {
            expected = TinyNetwork.run(direct, LoopObserver.NONE);
            assertEquals(0, direct.captureStats().graphs(), "these devices do not replay");
        }
        provider.faults().arm(0, EnumSet.of(Call.LAUNCH, Call.BEGIN_CAPTURE), Faults.Manner.THROWN);
        try (Denoiser denoiser = Denoiser.build(partitioned, open(provider, kind.devices()));
             Execution replayed = kind.prepare(denoiser, KIND_STEPS)) {
            CaptureStats stats = replayed.captureStats();
            assertArrayEquals(expected, TinyNetwork.run(replayed, LoopObserver.NONE), "recorded on the way");
            assertTrue(provider.faults().callsSeen() >= stats.graphs(), "so often it recorded or replayed");
            assertArrayEquals(expected, TinyNetwork.run(replayed, LoopObserver.NONE), "replayed from the first step");
            assertTrue(stats.captured() > KIND_STEPS / 2 && stats.calls() < stats.instructions(), stats.toString());
        }
    }

    @Test
    void aSteadyStepIsQueuedInFewerCalls() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("sequential", 1), open(provider, 1));
             Execution execution = prepare(denoiser)) {
            Set<Call> queued = EnumSet.range(Call.RUN, Call.AWAIT);
            run(execution, LoopObserver.NONE);
            run(execution, LoopObserver.NONE);
            provider.faults().arm(0, EnumSet.of(Call.RUN), Faults.Manner.THROWN);
            run(execution, LoopObserver.NONE);
            int runs = provider.faults().callsSeen();
            assertTrue(runs <= 2, runs + " of " + STEPS + " runs were queued on their own");
            provider.faults().arm(0, queued, Faults.Manner.THROWN);
            run(execution, LoopObserver.NONE);
            assertTrue(provider.faults().callsSeen() < execution.program().instructions().size());
        }
    }

    @Test
    void tracedLoopsAreNotReplayedSoThatEveryStageIsTimed() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), open(provider, 2));
             Execution execution = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, true)) {
            TinyDenoiser.run(execution, LoopObserver.NONE);
            assertEquals(0, execution.captureStats().graphs());
            assertEquals(execution.program().engineRuns(), TinyDenoiser.stages(execution.timeline()).size());
        }
    }

    @Test
    void whoDoesNotWantReplaysGetsNoneAndTheSameBits() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), open(provider, 2));
             Execution replayed = prepare(denoiser);
             Execution direct = denoiser.prepare(TinyDenoiser.noise(STEPS), TinyDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withReplay(false))) {
            assertTrue(replayed.captureStats().graphs() > 0);
            assertEquals(0, direct.captureStats().graphs());
            assertArrayEquals(run(replayed, LoopObserver.NONE), run(direct, LoopObserver.NONE));
        }
    }

    /** What fails while work is recorded is queued as it is. */
    @ParameterizedTest
    @EnumSource(Faults.Manner.class)
    void whicheverCallFailsTheNextRunGivesTheSameBits(Faults.Manner manner) {
        List<Device> devices = open(provider, 2);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), devices)) {
            float[] expected;
            provider.faults().arm(0, manner);
            try (Execution execution = prepare(denoiser)) {
                expected = run(execution, LoopObserver.NONE);
            }
            int calls = provider.faults().callsSeen();
            for (int call = 1; call <= calls; call++) {
                int live = devices.stream().mapToInt(Device::liveObjects).sum();
                provider.faults().arm(call, manner);
                failAndRunAgain(denoiser, expected, call);
                assertEquals(live, devices.stream().mapToInt(Device::liveObjects).sum(), "after call " + call);
            }
        }
    }

    private void failAndRunAgain(Denoiser denoiser, float[] expected, int call) {
        try (Execution execution = prepare(denoiser)) {
            failOrQueueAsItIs(execution, expected, call);
            provider.faults().disarm();
            assertArrayEquals(expected, run(execution, LoopObserver.NONE), "after call " + call);
            assertArrayEquals(expected, run(execution, LoopObserver.NONE), "and once more");
        } catch (DeviceException unprepared) {
            provider.faults().disarm();
        }
    }

    private void failOrQueueAsItIs(Execution execution, float[] expected, int call) {
        try (LoggedWarnings refused = LoggedWarnings.ofReplays()) {
            float[] latents;
            try {
                latents = run(execution, LoopObserver.NONE);
            } catch (DeviceException failed) {
                return;
            }
            assertEquals(1, refused.messages().size(), "call " + call + ": " + refused.messages());
            assertArrayEquals(expected, latents, "call " + call);
        }
    }

    @Test
    void workThatCannotBeRecordedIsQueuedAsItIsForGoodAndToldOnce() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), open(provider, 2));
             Execution execution = prepare(denoiser); LoggedWarnings refused = LoggedWarnings.ofReplays()) {
            float[] expected = run(execution, LoopObserver.NONE);
            try (Execution another = prepare(denoiser)) {
                provider.faults().failAll(EnumSet.of(Call.END_CAPTURE));
                for (int round = 0; round < 3; round++) {
                    assertArrayEquals(expected, run(another, LoopObserver.NONE));
                }
                provider.faults().disarm();
            }
            assertEquals(1, refused.messages().size(), refused.messages()::toString);
            assertTrue(refused.messages().getFirst().contains("cannot be captured"), refused.messages()::toString);
        }
    }

    @Test
    void aLoopThatWasCancelledAtAnyStepRunsAgain() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(PLAN, 2), open(provider, 2))) {
            float[] expected = null;
            for (int last = STEPS; last >= 1; last--) {
                int stopAt = last;
                try (Execution execution = prepare(denoiser)) {
                    if (expected == null) {
                        expected = run(execution, LoopObserver.NONE);
                        continue;
                    }
                    assertThrows(CancellationException.class, () -> run(execution, new LoopObserver() {
                        private int asked;

                        @Override
                        public boolean isCancelled() {
                            return ++asked >= stopAt;
                        }
                    }));
                    assertArrayEquals(expected, run(execution, LoopObserver.NONE));
                }
            }
        }
    }
}
