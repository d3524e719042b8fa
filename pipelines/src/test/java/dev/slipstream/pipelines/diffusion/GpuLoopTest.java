package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every strategy on real GPUs, with engines of TensorRT. */
class GpuLoopTest extends OnRealGpus {
    /** Engines of TensorRT and of the CPU round differently, and guidance makes more of it. */
    private static final float ROUNDING = 1e-4f;
    /** Likewise engines of TensorRT that are cut differently. */
    private static final float CUT_ROUNDING = 1e-5f;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "sequential | 1", "sequential | 2", "sequential | 3", "cfg-split | 2",
        "asyncdiff:warmup=6,cut=shell | 2", "asyncdiff:warmup=1,cut=chain | 2", "asyncdiff:warmup=1,cut=shell | 2",
        "asyncdiff:warmup=1,cut=shell,staleness=reference | 2", "asyncdiff:n=3,warmup=2 | 3",
        "asyncdiff:n=4,warmup=1 | 4", "asyncdiff:warmup=1,tail=1,stride=2,cut=chain | 2",
        "asyncdiff:warmup=1,stride=2,form=paper,n=2,cut=chain | 3", "asyncdiff:n=4,warmup=1,stride=2,form=paper | 5",
        "cache:decide=first-block,threshold=0.2,warmup=1 | 1",
        "cfg-split+cache:decide=first-block,threshold=0.2,slip=1,warmup=1 | 2",
        "guidance:stop=0.5 | 1", "cfg-split+asyncdiff:n=2,warmup=1,cut=chain | 4",
        "asyncdiff:warmup=1,cut=shell+guidance:every=2,warmup=1 | 2"})
    void everyPlanGivesTheLatentsOfTheCpu(String plan, int count) {
        List<Device> gpus = gpus(count);
        assertArrayEquals(TinyDenoiser.run(plan, cpus(count)), TinyDenoiser.run(plan, gpus), ROUNDING);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 2", "sequential | 3", "cfg-split | 2",
        "asyncdiff:warmup=6,cut=chain | 2", "asyncdiff:warmup=6,cut=shell | 2",
        "asyncdiff:warmup=1,tail=5,cut=shell,stride=2,form=paper | 2"})
    void slipZeroIsTheUnsplitModel(String plan, int count) {
        List<Device> gpus = gpus(count);
        assertArrayEquals(TinyDenoiser.run("sequential", gpus.subList(0, 1)), TinyDenoiser.run(plan, gpus),
            CUT_ROUNDING);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"sequential | 1", "sequential | 2", "cfg-split | 2",
        "cache:decide=first-block,threshold=0.2,warmup=1 | 1",
        "cfg-split+cache:decide=first-block,threshold=0.2,slip=1,warmup=1 | 2",
        "asyncdiff:warmup=1,cut=shell | 2", "asyncdiff:warmup=1,cut=chain | 2"})
    void replayedStepsHaveTheBitsOfDirectOnes(String plan, int count) {
        List<Device> gpus = gpus(count);
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned(plan, count), gpus);
             Execution direct = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withKeptLatents(true).withReplay(false));
             Execution replayed = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, false)) {
            assertEquals(0, direct.captureStats().graphs());
            assertTrue(replayed.captureStats().captured() > 0, replayed.captureStats()::toString);
            float[] expected = TinyDenoiser.run(direct, LoopObserver.NONE);
            for (int run = 0; run < 3; run++) {
                assertArrayEquals(expected, TinyDenoiser.run(replayed, LoopObserver.NONE), "run " + run);
            }
        }
    }

    @Test
    void aTracedRunSaysHowLongEveryStageTook() {
        try (Denoiser denoiser = Denoiser.build(TinyDenoiser.partitioned("asyncdiff:warmup=1,cut=chain", 2), gpus(2));
             Execution traced = denoiser.prepare(TinyDenoiser.noise(), TinyDenoiser.GUIDANCE, true, true)) {
            TinyDenoiser.run(traced, LoopObserver.NONE);
            assertEquals(traced.program().engineRuns(), TinyDenoiser.stages(traced.timeline()).size());
            assertTrue(traced.timeline().endNanos() > 0);
        }
    }
}
