package dev.slipstream.samples.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.model.weights.SafetensorsFile;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelConvertCommandTest {
    @TempDir
    private Path folder;

    private static void assertSameTensors(Path expected, Path actual) {
        try (SafetensorsFile one = SafetensorsFile.open(expected);
            SafetensorsFile other = SafetensorsFile.open(actual)) {
            assertEquals(one.tensors().keySet().stream().sorted().toList(),
                other.tensors().keySet().stream().sorted().toList());
            one.tensors().forEach((name, tensor) -> {
                assertEquals(tensor.type(), other.tensor(name).type(), name);
                assertArrayEquals(tensor.toFloats(), other.tensor(name).toFloats(), name);
            });
        }
    }

    @Test
    void aFileBecomesTheFolderItWasMadeOf() throws IOException {
        Path home = ReferenceFiles.orSkip("reference-files", "sdxl");
        Path diffusers = home.resolve("diffusers");
        Path target = folder.resolve("sdxl");
        CommandRun run = CommandRun.of("model", "convert", home.resolve("sdxl.safetensors").toString(),
            target.toString(), "--config", diffusers.toString(), "--json");
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertEquals("", run.err());
        assertEquals(List.of(), SchemaCheck.problems("model convert", run.out()));
        try (Stream<Path> all = Files.walk(diffusers)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                Path written = target.resolve(diffusers.relativize(file).toString());
                assertTrue(Files.isRegularFile(written), written.toString());
                if (file.toString().endsWith(".safetensors")) {
                    assertSameTensors(file, written);
                }
            }
        }
        JsonObject shown = CommandRun.of("model", "show", target.toString(), "--json").json();
        assertEquals(0, shown.getAsJsonArray("missing").size());
    }

    @Test
    void quantisedTensorsKeepTheirNamesAndValues() {
        Path home = ReferenceFiles.orSkip("reference-files", "gguf_types");
        Path target = folder.resolve("plain.safetensors");
        CommandRun run = CommandRun.of("model", "convert", home.resolve("types.gguf").toString(), target.toString());
        assertEquals(ExitCode.OK, run.code(), run.err());
        try (SafetensorsFile expected = SafetensorsFile.open(home.resolve("expected.safetensors"));
            SafetensorsFile actual = SafetensorsFile.open(target)) {
            expected.tensors().forEach((name, tensor) ->
                assertArrayEquals(tensor.toFloats(), actual.tensor(name).toFloats(), name));
        }
    }

    @Test
    void whatIsMissingIsSaid() {
        Path file = ReferenceFiles.orSkip("reference-files", "fp8_plain", "flux_dev_fp8_plain.safetensors");
        CommandRun run = CommandRun.of("model", "convert", file.toString(), folder.resolve("flux").toString());
        assertEquals(ExitCode.OK, run.code());
        assertTrue(run.err().contains("transformer/config.json"), run.err());
    }

    @Test
    void whatIsNoCheckpointIsRefused() throws IOException {
        Path text = Files.writeString(folder.resolve("text.safetensors"), "no tensors here");
        Path target = folder.resolve("target");
        for (Path source : List.of(text, folder, folder.resolve("nowhere.safetensors"))) {
            CommandRun run = CommandRun.of("model", "convert", source.toString(), target.toString());
            assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
            assertEquals(1, run.complaints().size(), run.err());
            assertTrue(Files.notExists(target));
        }
    }

    @Test
    void aFileIsShownWithWhatItLacks() {
        Path home = ReferenceFiles.orSkip("reference-files", "flux_dev");
        CommandRun run = CommandRun.of("model", "show", home.resolve("flux_dev.safetensors").toString(), "--json");
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertEquals(List.of(), SchemaCheck.problems("model show", run.out()));
        JsonObject part = run.json().getAsJsonArray("parts").get(0).getAsJsonObject();
        assertEquals("FluxTransformer2DModel", part.get("className").getAsString());
        assertEquals(part.get("parameters").getAsLong(), part.getAsJsonObject("types").get("BF16").getAsLong());
        CommandRun sample = CommandRun.of("model", "show", CommandRun.MODEL.toString(), "--json");
        assertEquals(List.of(), SchemaCheck.problems("model show", sample.out()));
        assertEquals(0, sample.json().getAsJsonArray("missing").size(), sample.out());
    }
}
