package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.pipelines.model.weights.SafetensorsWriter;
import dev.slipstream.pipelines.model.weights.StoredTensor;
import dev.slipstream.samples.SchemaCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerifyTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"sd21, onnx, 10", "sdxl, onnx, 10", "sd21, checkpoint, 10", "sdxl, checkpoint, 10",
        "flux, checkpoint, 1", "pixart, checkpoint, 1", "dit, checkpoint, 2"})
    void everyStepOfEveryReferenceCaseAgrees(String family, String form, int cases) {
        assertAgrees(family, form, cases);
    }

    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"sd3, onnx, 7", "sd3, checkpoint, 7", "sd35, onnx, 1", "sd35, checkpoint, 1", "flux, onnx, 1",
        "pixart, onnx, 1", "dit, onnx, 2", "sdxl_controlnet, onnx, 10", "sdxl_controlnet, checkpoint, 10",
        "svd, checkpoint, 5", "animatediff, checkpoint, 5"})
    void everyStepOfLargerReferenceCasesAgrees(String family, String form, int cases) {
        assertAgrees(family, form, cases);
    }

    private static void assertAgrees(String family, String form, int cases) {
        VerifyRun run = VerifyRun.of(ReferenceFiles.orSkip("reference", family), "--from", form);
        assertEquals(0, run.exitCode(), () -> run.out() + run.error());
        assertEquals("", run.err());
        assertTrue(run.out().contains(cases + " of " + cases + " cases agree"), run.out());
    }

    /** Numbers of xDiT. */
    @ParameterizedTest
    @CsvSource({"pixart, onnx, 8", "pixart, checkpoint, 8", "sd3, onnx, 6", "sd3, checkpoint, 6", "flux, onnx, 5",
        "flux, checkpoint, 5"})
    void everyStepOfThePublishedPipeFusionAgrees(String family, String form, int cases) {
        VerifyRun run = VerifyRun.of(ReferenceFiles.orSkip("reference-patches", "pipefusion", family), "--from", form);
        assertEquals(0, run.exitCode(), () -> run.out() + run.error());
        assertTrue(run.out().contains(cases + " of " + cases + " cases agree"), run.out());
    }

    /** Numbers of published caches. */
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"sd21, onnx", "sd21, checkpoint", "sdxl, onnx", "sdxl, checkpoint", "flux, onnx", "flux, checkpoint",
        "pixart, onnx", "pixart, checkpoint", "sd3, onnx", "sd3, checkpoint"})
    void everyStepOfPublishedCachesAgrees(String family, String form) {
        VerifyRun run = VerifyRun.of(ReferenceFiles.orSkip("reference-caches", family), "--from", form);
        assertEquals(0, run.exitCode(), () -> run.out() + run.error());
        assertFalse(run.out().contains("NOT KNOWN"), run.out());
    }

    /** Numbers of the published DistriFusion and PCPP. */
    @ParameterizedTest
    @Tag("slow")
    @CsvSource({"distrifusion, sd21, onnx, 13", "distrifusion, sdxl, checkpoint, 13", "pcpp, sd21, checkpoint, 9",
        "pcpp, sdxl, onnx, 9"})
    void everyStepOfThePatchesOfUNetsAgrees(String method, String family, String form, int cases) {
        VerifyRun run = VerifyRun.of(ReferenceFiles.orSkip("reference-patches", method, family), "--from", form);
        assertEquals(0, run.exitCode(), () -> run.out() + run.error());
        assertTrue(run.out().contains(cases + " of " + cases + " cases agree"), run.out());
    }

    /** A folder without model.onnx, as users have it who never ran an exporter. */
    @Test
    void withoutAGraphTheCheckpointIsRead() throws IOException {
        Path reference = ReferenceFiles.orSkip("reference", "sd21");
        for (String file : List.of("cases.json", "inputs.safetensors", "expected.safetensors", "unet/config.json",
            "unet/diffusion_pytorch_model.safetensors", "scheduler-ddim/scheduler_config.json")) {
            Files.createDirectories(folder.resolve(file).getParent());
            Files.copy(reference.resolve(file), folder.resolve(file));
        }
        VerifyRun run = VerifyRun.of(folder, "--case", "ddim.sequential");
        assertEquals(0, run.exitCode(), () -> run.out() + run.error());
    }

    @ParameterizedTest
    @CsvSource({"onnx", "checkpoint"})
    void inHalfPrecisionTheSequentialCaseAgreesUpToItsRounding(String form) {
        Path reference = ReferenceFiles.orSkip("reference", "sd21");
        // The latents grow to 28.
        String[] half = {"--precision", "fp16", "--from", form, "--case", "ddim.sequential", "--tolerance", "0.1"};
        VerifyRun run = VerifyRun.of(reference, half);
        assertEquals(0, run.exitCode(), () -> run.out() + run.error());
        half[half.length - 1] = "1e-5";
        assertEquals(1, VerifyRun.of(reference, half).exitCode());
    }

    @Test
    void theStepsOfThePublishedScheduleAgreeWithItsOracle() throws IOException {
        assertAllAgree(new TinyFolder(folder).write());
    }

    @Test
    void noCaseAgreesWithLatentsThatIgnoreItsSlip() throws IOException {
        new TinyFolder(folder).write();
        rewrite(latents -> latents.replaceAll((name, values) -> latents.get("ddim.sequential")));
        VerifyRun run = VerifyRun.of(folder, "--tolerance", "1e-2");
        assertEquals(1, run.exitCode());
        assertTrue(run.out().contains("6 of 7 cases differ"), run.out());
    }

    @Test
    void inpaintingFoldersAddMaskAndMaskedImageBehindTheLatents() throws IOException {
        assertAllAgree(new TinyFolder(folder).withExtra("mask", 1).withExtra("masked_image_latents", 4).write());
    }

    @Test
    void upscalerFoldersAddAnImageAndHaveLabelsOfTheGraphsOwnType() throws IOException {
        assertAllAgree(new TinyFolder(folder).withExtra("image", 3).withLabels().write());
    }

    private static void assertAllAgree(Path folder) {
        VerifyRun run = VerifyRun.of(folder, "--tolerance", "1e-5");
        assertEquals(0, run.exitCode(), () -> run.out() + run.err() + run.error());
        assertEquals("", run.err());
        assertTrue(run.out().contains("7 of 7 cases agree"), run.out());
    }

    @Test
    void oneWrongNumberFailsTheCaseThatItBelongsTo() throws IOException {
        new TinyFolder(folder).write();
        change("ddim.released", 3, 0.01f);
        VerifyRun run = VerifyRun.of(folder, "--json");
        assertEquals(1, run.exitCode());
        SchemaCheck.assertFits("verify", run.out());
        JsonArray list = JsonParser.parseString(run.out()).getAsJsonArray();
        assertEquals(7, list.size());
        for (int i = 0; i < list.size(); i++) {
            JsonObject entry = list.get(i).getAsJsonObject();
            boolean wrong = entry.get("case").getAsString().equals("ddim.released");
            assertEquals(!wrong, entry.get("passed").getAsBoolean(), entry.toString());
            if (wrong) {
                assertEquals(0.01, entry.get("max_abs_diff").getAsDouble(), 1e-4);
                assertEquals(3, entry.get("step").getAsInt());
            }
        }
    }

    @Test
    void whatIsNotANumberNeverPasses() throws IOException {
        new TinyFolder(folder).write();
        change("ddim.stride1", 2, Float.NaN);
        VerifyRun table = VerifyRun.of(folder, "--tolerance", "1e9");
        assertEquals(1, table.exitCode());
        assertTrue(table.out().contains("1 of 7 cases differ"), table.out());
        VerifyRun run = VerifyRun.of(folder, "--json", "--case", "ddim.stride1");
        JsonObject entry = JsonParser.parseString(run.out()).getAsJsonArray().get(0).getAsJsonObject();
        assertTrue(entry.get("max_abs_diff").isJsonNull());
        assertEquals(2, entry.get("step").getAsInt());
        assertFalse(entry.get("passed").getAsBoolean());
    }

    @Test
    void onlyTheCasesThatWereAskedForAreRun() throws IOException {
        new TinyFolder(folder).write();
        change("ddim.stride1", 2, 1);
        VerifyRun run = VerifyRun.of(folder, "--case", "ddim.paper", "--case", "ddim.sequential");
        assertEquals(0, run.exitCode());
        assertTrue(run.out().contains("2 of 2 cases agree"), run.out());
    }

    @Test
    void aCaseOfAnotherKindFailsByItselfAndTheOthersAreRun() throws IOException {
        new TinyFolder(folder).write();
        Path cases = folder.resolve("cases.json");
        JsonObject all = JsonParser.parseString(Files.readString(cases)).getAsJsonObject();
        JsonObject wish = all.getAsJsonArray("cases").get(0).getAsJsonObject().deepCopy();
        wish.addProperty("expected", "ddim.wish");
        wish.add("cache", JsonParser.parseString("{\"kind\": \"clairvoyance\"}"));
        all.getAsJsonArray("cases").add(wish);
        Files.writeString(cases, all.toString());
        VerifyRun run = VerifyRun.of(folder, "--tolerance", "1e-5");
        assertEquals(1, run.exitCode(), () -> run.out() + run.error());
        assertTrue(run.out().contains("7 of 8 cases agree within 1.0E-5; 1 cannot be compared yet"), run.out());
        assertTrue(run.err().contains("not run: ddim.wish is of kind clairvoyance, which cannot be compared yet; there "
            + "are attention_broadcast, deepcache"), run.err());
        VerifyRun alone = VerifyRun.of(folder, "--json", "--case", "ddim.wish");
        assertEquals(1, alone.exitCode());
        SchemaCheck.assertFits("verify", alone.out());
    }

    @Test
    void timestepsOtherThanTheNoiseSchedulersAreReported() throws IOException {
        new TinyFolder(folder).write();
        Path cases = folder.resolve("cases.json");
        Files.writeString(cases, Files.readString(cases).replace("499.0", "498.0"));
        VerifyRun run = VerifyRun.of(folder, "--case", "ddim.sequential");
        assertEquals("scheduler ddim: timestep 3 is 498.0 in cases.json, 499.0 here", run.err().strip());
    }

    /** Adds to one element of the latents after a step, counted from 1. */
    private void change(String key, int step, float more) {
        rewrite(latents -> latents.get(key)[(int) ((step - 1) * TinyFolder.LATENTS.elements()) + 7] += more);
    }

    private void rewrite(Consumer<Map<String, float[]>> change) {
        Path file = folder.resolve("expected.safetensors");
        Map<String, float[]> latents = new LinkedHashMap<>();
        Map<String, StoredTensor> changed = new LinkedHashMap<>();
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            read.tensors().forEach((name, tensor) -> latents.put(name, tensor.toFloats()));
            change.accept(latents);
            latents.forEach((name, values) ->
                changed.put(name, StoredTensor.of(read.tensor(name).shape(), values)));
        }
        SafetensorsWriter.write(file, changed, Map.of());
    }
}
