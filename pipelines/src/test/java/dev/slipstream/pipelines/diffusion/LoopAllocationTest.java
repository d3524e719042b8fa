package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.bridge.cuda.FakeGpus;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the thread that drives a loop allocates; the streams' threads are the providers' to test. */
class LoopAllocationTest {
    private static final int STEPS = 200;
    private static final int FIRST = 20;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void aStepAllocatesNothing() {
        measure(Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"), DeviceSpec.parse("cpu:1"))));
    }

    @Test
    void aStepThatGpusReplayAllocatesNothing() {
        try (FakeGpus gpus = FakeGpus.orSkip(2)) {
            measure(gpus.open(2));
        }
    }

    private void measure(List<Device> devices) {
        assumeTrue(threads.isThreadAllocatedMemorySupported(), "this JVM does not count what threads allocate");
        PartitionedDenoiser partitioned = TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=shell", 2);
        try (Denoiser denoiser = Denoiser.build(partitioned, devices);
             Execution execution = denoiser.prepare(TinyDenoiser.noise(STEPS), TinyDenoiser.GUIDANCE, false, false);
             Arena arena = Arena.ofShared()) {
            long[] allocated = new long[STEPS];
            LoopObserver meter = new LoopObserver() {
                @Override
                public void stepDone(int step, int steps) {
                    allocated[step] = threads.getCurrentThreadAllocatedBytes();
                }
            };
            long least = Long.MAX_VALUE;
            // The JIT compiler may leave allocations in that it removes later, so the best of some runs counts.
            for (int run = 0; run < 50 && least > 0; run++) {
                execution.run(TinyDenoiser.given(arena, STEPS), meter);
                least = Math.min(least, allocated[STEPS - 1] - allocated[FIRST]);
            }
            assertEquals(0, least, "bytes for " + (STEPS - 1 - FIRST) + " steps");
        } finally {
            devices.reversed().forEach(Device::close);
        }
    }
}
