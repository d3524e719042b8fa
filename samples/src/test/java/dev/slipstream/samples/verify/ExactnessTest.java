package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.plan.CfgSplit;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.reference.ReferenceFolder;
import dev.slipstream.samples.reference.Tolerance;
import dev.slipstream.samples.verify.VerifyCommand.CaseResult;
import dev.slipstream.samples.verify.VerifyCommand.CaseRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With slip 0 the cut changes nothing, however many devices there are. */
class ExactnessTest {
    @ParameterizedTest
    @CsvSource({"sd21, ddim, ONNX", "sdxl, euler, ONNX", "sd21, ddim, CHECKPOINT", "sdxl, euler, CHECKPOINT",
        "flux, flow-dynamic, CHECKPOINT", "dit, ddpm-dit, CHECKPOINT"})
    void everyCutGivesTheBitsOfTheWhole(String family, String scheduler, ComponentFormat format) {
        assertExact(family, scheduler, format);
    }

    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"sd3, flow, ONNX", "sd3, flow, CHECKPOINT", "sd35, flow, CHECKPOINT", "flux, flow-dynamic, ONNX",
        "pixart, dpm++2m, CHECKPOINT", "sdxl_controlnet, euler, ONNX", "sdxl_controlnet, ddim, CHECKPOINT",
        "svd, euler-svd, CHECKPOINT", "animatediff, ddim-animate, CHECKPOINT"})
    void everyCutOfLargerDenoisersGivesTheBitsOfTheWhole(String family, String scheduler, ComponentFormat format) {
        assertExact(family, scheduler, format);
    }

    private static void assertExact(String family, String scheduler, ComponentFormat format) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFiles.orSkip("reference", family),
            Optional.of(format), Precision.FP32)) {
            assertExact(folder, scheduler, 4);
        }
    }

    /** Also where a ControlNet's scale, a picture or the guidance is another in each row or frame. */
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"sdxl_controlnet, euler", "svd, euler-svd", "animatediff, ddim-animate"})
    void branchesOfGuidanceMayRunApart(String family, String scheduler) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFiles.orSkip("reference", family),
            Optional.of(ComponentFormat.CHECKPOINT), Precision.FP32);
            CaseRunner runner = CaseRunner.open(folder, DeviceSpec.parse("cpu:1"), 2)) {
            NoiseTable noise = folder.noise(scheduler);
            CaseResult result = CaseResult.compare("apart", runner.latents(new Sequential(), 1, noise),
                runner.latents(new CfgSplit(), 2, noise), folder.tolerance());
            assertTrue(result.passed(), result.toString());
        }
    }

    /** Of one case, in which patches have what is fresh at every step but the last ones. */
    @Test
    void patchesInPiecesGiveWhatTheyGiveWhole() {
        assertSameInPieces("sd21", "ddim");
    }

    @Test
    @Tag("slow")
    void patchesOfALargerDenoiserInPiecesGiveWhatTheyGiveWhole() {
        assertSameInPieces("sdxl", "euler");
    }

    private static void assertSameInPieces(String family, String scheduler) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFiles.orSkip("reference", family),
            Optional.of(ComponentFormat.CHECKPOINT), Precision.FP32);
            CaseRunner runner = CaseRunner.open(folder, DeviceSpec.parse("cpu:1"), 2)) {
            NoiseTable noise = folder.noise(scheduler);
            List<float[]> whole = runner.latents(Strategy.parse("patches:n=2,warmup=2"), 2, noise);
            agree(whole, runner.latents(Strategy.parse("patches:n=2,warmup=2,segments=3"), 2, noise), 1e-5);
            agree(whole, runner.latents(Strategy.parse("patches:n=2,warmup=2"), 1, noise), 0);
            agree(runner.latents(Strategy.parse("patches:n=2,warmup=2,norm=sync"), 1, noise),
                runner.latents(Strategy.parse("patches:n=2,warmup=2,norm=sync"), 2, noise), 0);
            agree(runner.latents(new Sequential(), 1, noise),
                runner.latents(Strategy.parse("patches:n=2,warmup=1000,norm=sync,split=columns"), 2, noise), 1e-4);
        }
    }

    private static void agree(List<float[]> expected, List<float[]> actual, double tolerance) {
        CaseResult result = CaseResult.compare("patches", expected, actual, Tolerance.absolute(tolerance));
        assertTrue(result.passed(), result.toString());
    }

    @Test
    void aTinyDenoiserCutInTwoGivesWhatItGivesWhole(@TempDir Path path) throws IOException {
        try (ReferenceFolder folder = ReferenceFolder.open(new TinyFolder(path).write(), Optional.empty(),
            Precision.FP32)) {
            assertExact(folder, "ddim", 2);
        }
    }

    private static void assertExact(ReferenceFolder folder, String scheduler, int most) {
        try (CaseRunner runner = CaseRunner.open(folder, DeviceSpec.parse("cpu:1"), most)) {
            NoiseTable noise = folder.noise(scheduler);
            List<float[]> alone = runner.latents(new Sequential(), 1, noise);
            for (int count = 2; count <= most; count++) {
                CaseResult result = CaseResult.compare("sequential on " + count, alone,
                    runner.latents(new Sequential(), count, noise), Tolerance.absolute(0));
                assertTrue(result.passed(), result.toString());
            }
        }
    }
}
