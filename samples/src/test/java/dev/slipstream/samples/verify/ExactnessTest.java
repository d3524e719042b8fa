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
    /**
     * ONNX Runtime moves chains of convolutions into a blocked layout and fuses sums into them there, which differs
     * where a chain is cut; devices that are exact leave that out. Guidance and ten steps of random weights make more
     * of what rounding leaves.
     */
    private static final double LAYOUT_ROUNDING = 5e-5;

    @ParameterizedTest
    @CsvSource({"sd21, ddim, ONNX", "sdxl, euler, ONNX", "sd21, ddim, CHECKPOINT", "sdxl, euler, CHECKPOINT"})
    void onExactDevicesEveryCutGivesTheBitsOfTheWhole(String family, String scheduler, ComponentFormat format) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFolders.find(family), Optional.of(format))) {
            assertExact(folder, scheduler, "cpu:1:exact", 4, 0);
        }
    }

    @ParameterizedTest
    @CsvSource({"sd21, ddim", "sdxl, euler"})
    void onOtherDevicesEveryCutGivesTheWholeButForRounding(String family, String scheduler) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFolders.find(family), Optional.empty())) {
            assertExact(folder, scheduler, "cpu:1", 4, LAYOUT_ROUNDING);
        }
    }

    /** One call of the denoiser, before ten steps and guidance make more of the difference. */
    @ParameterizedTest
    @CsvSource({"sd21, ddim", "sdxl, euler"})
    void onOtherDevicesOneCallDiffersByRoundingOnly(String family, String scheduler) {
        try (ReferenceFolder folder = ReferenceFolder.open(ReferenceFolders.find(family), Optional.empty());
            VerifyDevices devices = VerifyDevices.open(DeviceSpec.parse("cpu:1"), 4)) {
            CaseRunner runner =
                new CaseRunner(folder, LoopInputs.read(folder.inputs(), folder.model()), devices.list());
            NoiseTable.Row first = folder.noise(scheduler).rows().getFirst();
            NoiseTable prediction = new NoiseTable("prediction", folder.noise(scheduler).initialScale(),
                List.of(new NoiseTable.Row(first.timestep(), first.inputScale(),
                    new NoiseTable.Next(0, 1, List.of(), 0), NoiseTable.Linear.ZERO, NoiseTable.Linear.ZERO)));
            List<float[]> alone = runner.latents(new Sequential(), 1, prediction);
            for (int count = 2; count <= 4; count++) {
                CaseResult result = CaseResult.compare("sequential on " + count, alone,
                    runner.latents(new Sequential(), count, prediction), 1e-5);
                assertTrue(result.passed(), result.toString());
            }
        }
    }

    @Test
    void aTinyDenoiserCutInTwoGivesWhatItGivesWhole(@TempDir Path path) throws IOException {
        try (ReferenceFolder folder = ReferenceFolder.open(new TinyFolder(path).write(), Optional.empty())) {
            assertExact(folder, "ddim", "cpu:1", 2, 0);
        }
    }

    private static void assertExact(ReferenceFolder folder, String scheduler, String device, int most,
        double tolerance) {
        try (VerifyDevices devices = VerifyDevices.open(DeviceSpec.parse(device), most)) {
            CaseRunner runner =
                new CaseRunner(folder, LoopInputs.read(folder.inputs(), folder.model()), devices.list());
            NoiseTable noise = folder.noise(scheduler);
            List<float[]> alone = runner.latents(new Sequential(), 1, noise);
            for (int count = 2; count <= most; count++) {
                CaseResult result = CaseResult.compare("sequential on " + count, alone,
                    runner.latents(new Sequential(), count, noise), tolerance);
                assertTrue(result.passed(), result.toString());
            }
        }
    }
}
