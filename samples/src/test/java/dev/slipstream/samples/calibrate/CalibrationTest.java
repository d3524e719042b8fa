package dev.slipstream.samples.calibrate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.DeviceSpec;
import dev.slipstream.bridge.Devices;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.diffusion.calibration.CacheSizes;
import dev.slipstream.pipelines.diffusion.calibration.Calibration;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.graph.precision.Precision;
import dev.slipstream.pipelines.model.folder.ComponentFormat;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.reference.ReferenceFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CalibrationTest {
    @TempDir
    private Path folder;

    /** Numbers of the published calibration, on the same loops; they have five digits. */
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"flux, flow-dynamic", "pixart, dpm++2m", "sd3, flow"})
    void ratiosAreThoseOfThePublishedCalibration(String family, String scheduler) throws IOException {
        Path cases = ReferenceFiles.orSkip("reference-caches", family);
        List<Double> expected = published(cases.resolve("cases.json"));
        try (ReferenceFolder reference = ReferenceFolder.open(cases, Optional.of(ComponentFormat.CHECKPOINT),
            Precision.FP32)) {
            PartitionedDenoiser partitioned =
                PartitionedDenoiser.of(reference.model(), reference.loop().shape(), CacheSizes.plan(0), 1);
            CacheSizes sizes = CacheSizes.of(partitioned);
            assertTrue(sizes.isResidual());
            NoiseTable noise = reference.noise(scheduler);
            try (Device device = Devices.discover().open(List.of(DeviceSpec.parse("cpu:1"))).getFirst();
                Denoiser denoiser = Denoiser.build(partitioned, List.of(device));
                Execution execution = denoiser.prepare(noise, reference.guidance(),
                    LoopOptions.DEFAULT.withObserver(sizes));
                Arena arena = Arena.ofShared()) {
                execution.run(reference.loop().given(noise.initialScale(), arena), LoopObserver.NONE);
            }
            assertEquals(expected.size(), sizes.ratios().size());
            for (int step = 0; step < expected.size(); step++) {
                assertEquals(expected.get(step), sizes.ratios().get(step), 1.1e-5, "step " + step);
            }
        }
    }

    private static List<Double> published(Path cases) throws IOException {
        for (JsonElement entry : JsonParser.parseString(Files.readString(cases)).getAsJsonObject()
            .getAsJsonArray("cases")) {
            JsonObject cache = entry.getAsJsonObject().getAsJsonObject("cache");
            if (cache != null && entry.getAsJsonObject().get("expected").getAsString().contains("mag_own")) {
                return cache.getAsJsonArray("mag_ratios").asList().stream().map(JsonElement::getAsDouble).toList();
            }
        }
        throw new AssertionError(cases + " has no ratios of its own model");
    }

    private Path calibrated() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "a large red star\n");
        Path file = folder.resolve("sizes.json");
        CommandRun run = CommandRun.of("calibrate", CommandRun.MODEL.toString(), "--steps", "4", "--prompts",
            prompts.toString(), "--quiet", "--output", file.toString());
        assertEquals(0, run.code(), run::err);
        assertEquals("", run.out() + run.err());
        return file;
    }

    private static CommandRun plan(String plan) {
        return CommandRun.of("plan", "--model", CommandRun.MODEL.toString(), "--plan", plan, "--devices", "cpu:1");
    }

    @Test
    void whatIsMeasuredIsOneRatioAStepAndAPlanTakesIt() throws IOException {
        Path file = calibrated();
        JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        List<Double> ratios = json.getAsJsonArray("ratios").asList().stream().map(JsonElement::getAsDouble).toList();
        assertEquals(4, ratios.size());
        assertEquals(1, ratios.getFirst());
        assertTrue(ratios.stream().allMatch(ratio -> ratio > 0.1 && ratio < 10), ratios::toString);
        CommandRun run = plan("cache:calibration=" + file + ",threshold=0.2");
        assertEquals(0, run.code(), run::err);
        assertTrue(run.out().contains("threshold=0.2,most=3,kept=0.2,depth=0"), run::out);
    }

    @Test
    void withoutAFileTheMessageSaysHowItIsMade() {
        CommandRun run = plan("cache:calibrated");
        assertEquals(2, run.code());
        assertTrue(run.err().contains("slipstream calibrate " + CommandRun.MODEL.toAbsolutePath()), run::err);
    }

    @Test
    void damagedAndForeignFilesAreRefused() throws IOException {
        Path file = calibrated();
        String text = Files.readString(file);
        Map<String, String> wrong = Map.of(text.replace("\"denoiser\": \"", "\"denoiser\": \"0"), "another denoiser",
            text.replace("slipstream-cache", "something"), "did not make this file",
            text.replace("\"version\": 1", "\"version\": 7"), "is 7",
            text.replace("1.0,", "-1.0,"), "all are more than 0",
            text.replace("\"depth\": 0", "\"depth\": 2"), "depth=2",
            text.substring(0, text.length() / 2), "sizes.json");
        for (Map.Entry<String, String> each : wrong.entrySet()) {
            Files.writeString(file, each.getKey());
            CommandRun run = plan("cache:calibration=" + file);
            assertEquals(2, run.code(), each.getValue());
            assertTrue(run.err().contains(each.getValue()) && run.err().contains(file.toString()), run::err);
        }
    }

    @Test
    void aFolderThatCannotBeWrittenIsSaidBeforeAnythingIsDrawn() {
        CommandRun run = CommandRun.of("calibrate", CommandRun.MODEL.toString(), "--output",
            folder.resolve("missing/sizes.json").toString());
        assertEquals(2, run.code());
        assertTrue(run.err().contains("choose another --output"), run::err);
    }

    @Test
    void aModelInOneFileHasItBesideIt() {
        assertEquals(Path.of("models/sd.safetensors.slipstream-cache.json"),
            Calibration.beside(Path.of("models/sd.safetensors")));
        assertEquals(Path.of("models/sd/slipstream-cache.json"), Calibration.beside(Path.of("models/sd")));
    }
}
