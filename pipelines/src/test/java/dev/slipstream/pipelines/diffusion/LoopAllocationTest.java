package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the thread that drives a loop allocates; the streams' threads are the providers' to test. */
class LoopAllocationTest {
    private static final int STEPS = 40;
    private static final int FIRST = 10;
    private static final int MOST_RUNS = 250;
    private static final KeptLatents KEPT = KeptLatents.after(List.of(3, 7, 11, 15, 19));

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @EnumSource
    void aStepAllocatesNothing(PlanKind kind) {
        measure(kind, KeptLatents.LAST, cpus(kind));
    }

    /** As for a cache of latents, which keeps those after some steps of the first half. */
    @ParameterizedTest
    @EnumSource(names = {"ASYNCDIFF", "CACHE_DECIDED", "PATCHES"})
    void aStepWhoseLatentsAreKeptAllocatesNothing(PlanKind kind) {
        measure(kind, KEPT, cpus(kind));
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            measure(kind, KEPT, gpus.open(kind.devices()));
        }
    }

    private static List<Device> cpus(PlanKind kind) {
        return Devices.discover().open(Collections.nCopies(kind.devices(), DeviceSpec.parse("cpu:1")));
    }

    /** Of those that divide the work in different ways. */
    @ParameterizedTest
    @EnumSource(names = {"ASYNCDIFF", "CACHE_FORECAST", "CACHE_DECIDED", "GUIDANCE_CACHE", "PATCHES",
        "PIPEFUSION_CACHE"})
    void aStepThatGpusReplayAllocatesNothing(PlanKind kind) {
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            measure(kind, KeptLatents.LAST, gpus.open(kind.devices()));
        }
    }

    private void measure(PlanKind kind, KeptLatents kept, List<Device> devices) {
        assumeTrue(threads.isThreadAllocatedMemorySupported(), "this JVM does not count what threads allocate");
        try (Denoiser denoiser = Denoiser.build(kind.partitioned(), devices);
             Execution execution = kind.prepare(denoiser, STEPS, kept);
             Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> given = TinyNetwork.given(arena, STEPS);
            long[] allocated = new long[STEPS];
            LoopObserver meter = new LoopObserver() {
                @Override
                public void stepDone(int step, int steps) {
                    allocated[step] = threads.getCurrentThreadAllocatedBytes();
                }
            };
            long least = Long.MAX_VALUE;
            // The JIT compiler may leave allocations in that it removes later, so the best of some runs counts.
            for (int run = 0; run < MOST_RUNS && least > 0; run++) {
                execution.run(given, meter);
                least = Math.min(least, allocated[STEPS - 1] - allocated[FIRST]);
            }
            assertEquals(0, least, "bytes for " + (STEPS - 1 - FIRST) + " steps");
        } finally {
            devices.reversed().forEach(Device::close);
        }
    }
}
