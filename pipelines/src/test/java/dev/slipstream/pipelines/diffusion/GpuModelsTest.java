package dev.slipstream.pipelines.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.Device;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.run.Execution;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole denoisers on real GPUs, an engine of TensorRT a segment, against the CPU provider. */
class GpuModelsTest extends OnRealGpus {
    private static final float ROUNDING = 1e-4f;
    /** Three times what halves on the CPU differ by, of predictions of about 1. */
    private static final float HALF_ROUNDING = 0.01f;
    /** Eight times that, as there are three bits less. */
    private static final float BFLOAT_ROUNDING = 0.08f;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "samples/model | sequential | 1", "samples/model | sequential | 2", "samples/model | sequential | 3",
        "samples/model | cfg-split | 2", "samples/model | asyncdiff:warmup=1 | 2",
        "sd21 | sequential | 1", "sd21 | sequential | 2",
        "sd21 | sequential | 3", "sd21 | cfg-split | 2",
        "sdxl | sequential | 1", "sdxl | sequential | 2",
        "sdxl | sequential | 3", "sdxl | cfg-split | 2"})
    void oneCallGivesWhatTheCpuGives(String folder, String plan, int count) {
        List<Device> gpus = gpus(count);
        WholeDenoiser denoiser = WholeDenoiser.find(folder);
        float[] expected = denoiser.run("sequential", cpus(1), WholeDenoiser.prediction());
        assertArrayEquals(expected, denoiser.run(plan, gpus, WholeDenoiser.prediction()), ROUNDING);
    }

    @ParameterizedTest
    @CsvSource({"samples/model, 1", "samples/model, 2", "sd21, 1", "sd21, 2",
        "sdxl, 1", "sdxl, 2"})
    void halfPrecisionStaysNearTheCpusFloats(String folder, int count) {
        List<Device> gpus = gpus(count);
        WholeDenoiser denoiser = WholeDenoiser.find(folder);
        float[] expected = denoiser.run("sequential", cpus(1), WholeDenoiser.prediction());
        assertArrayEquals(expected, denoiser.in(Precision.FP16).run("sequential", gpus, WholeDenoiser.prediction()),
            HALF_ROUNDING);
        assertArrayEquals(expected, denoiser.in(Precision.BF16).run("sequential", gpus, WholeDenoiser.prediction()),
            BFLOAT_ROUNDING);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "samples/model | sequential | 1", "samples/model | asyncdiff:warmup=1 | 2",
        "sd21 | sequential | 1", "sdxl | asyncdiff:warmup=1 | 2"})
    void replayedStepsHaveTheBitsOfDirectOnes(String folder, String plan, int count) {
        List<Device> gpus = gpus(count);
        WholeDenoiser whole = WholeDenoiser.find(folder);
        try (Denoiser denoiser = Denoiser.build(whole.partitioned(plan, count), gpus);
             Execution direct = denoiser.prepare(WholeDenoiser.steps(8), WholeDenoiser.GUIDANCE,
                 LoopOptions.DEFAULT.withReplay(false));
             Execution replayed =
                 denoiser.prepare(WholeDenoiser.steps(8), WholeDenoiser.GUIDANCE, LoopOptions.DEFAULT)) {
            assertTrue(replayed.captureStats().captured() > 0, replayed.captureStats()::toString);
            float[] expected = whole.run(direct);
            for (int run = 0; run < 3; run++) {
                assertArrayEquals(expected, whole.run(replayed), "run " + run);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"samples/model", "sd21", "sdxl"})
    void theSameRequestGivesTheSameLatents(String folder) {
        List<Device> gpus = gpus(2);
        WholeDenoiser denoiser = WholeDenoiser.find(folder);
        assertArrayEquals(denoiser.run("asyncdiff:warmup=1", gpus, WholeDenoiser.steps(6)),
            denoiser.run("asyncdiff:warmup=1", gpus, WholeDenoiser.steps(6)));
    }
}
