package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.model.ComponentFormat;
import dev.slipstream.pipelines.run.NoiseTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With slip 0 the cut changes nothing, however many devices there are. */
class ExactnessTest {
    @ParameterizedTest
    @CsvSource({"sd21, ddim, ONNX", "sdxl, euler, ONNX", "sd21, ddim, CHECKPOINT", "sdxl, euler, CHECKPOINT"})
    void everyCutGivesTheBitsOfTheWhole(String family, String scheduler, ComponentFormat format) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFolders.find(family), Optional.of(format))) {
            assertExact(folder, scheduler, 4);
        }
    }

    @Test
    void aTinyDenoiserCutInTwoGivesWhatItGivesWhole(@TempDir Path path) throws IOException {
        try (ReferenceFolder folder = ReferenceFolder.open(new TinyFolder(path).write(), Optional.empty())) {
            assertExact(folder, "ddim", 2);
        }
    }

    private static void assertExact(ReferenceFolder folder, String scheduler, int most) {
        try (VerifyDevices devices = VerifyDevices.open(DeviceSpec.parse("cpu:1"), most)) {
            CaseRunner runner =
                new CaseRunner(folder, LoopInputs.read(folder.inputs(), folder.model()), devices.list());
            NoiseTable noise = folder.noise(scheduler);
            List<float[]> alone = runner.latents(new Sequential(), 1, noise);
            for (int count = 2; count <= most; count++) {
                CaseResult result = CaseResult.compare("sequential on " + count, alone,
                    runner.latents(new Sequential(), count, noise), 0);
                assertTrue(result.passed(), result.toString());
            }
        }
    }
}
