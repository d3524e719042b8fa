package dev.slipstream.samples.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelInitCommandTest {
    @TempDir
    private Path folder;

    @Test
    void aTinyModelIsWrittenAndListed() {
        Path model = folder.resolve("tiny");
        CommandRun run = CommandRun.of("model", "init", "--like", "sdxl", "--tiny", model.toString());
        assertEquals("", run.err());
        assertEquals(ExitCode.OK, run.code());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().matches("folder +class +parameters +size"), run.out());
        assertTrue(lines.stream().anyMatch(line -> line.matches("unet +UNet2DConditionModel +[\\d,]+ +[\\d.]+ [kM]B")),
            run.out());
        assertTrue(lines.getLast().endsWith(" of random weights in " + model), run.out());
        for (String file : List.of("model_index.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
            "tokenizer_2/merges.txt", "text_encoder/model.safetensors", "text_encoder_2/config.json",
            "unet/diffusion_pytorch_model.safetensors", "vae/config.json")) {
            assertTrue(Files.isRegularFile(model.resolve(file)), file);
        }
    }

    @Test
    void theListAsJsonHasWhatWasWritten() {
        Path model = folder.resolve("tiny");
        JsonObject json = CommandRun.of("model", "init", "--like", "sd15", "--tiny", "--type", "fp16", "--json",
            model.toString()).json();
        assertEquals("sd15", json.get("family").getAsString());
        assertTrue(json.getAsJsonArray("parts").asList().stream().map(part -> part.getAsJsonObject())
            .filter(part -> part.get("name").getAsString().equals("vae"))
            .allMatch(part -> part.get("bytes").getAsLong() == 2 * part.get("parameters").getAsLong()));
    }

    @Test
    void whatCannotBeMadeIsRefusedInOneLine() {
        for (String[] wrong : new String[][] {
            {"model", "init", "--like", "sd3", "--tiny", folder.resolve("a").toString()},
            {"model", "init", "--like", "sd15", "--tiny", "--type", "int8", folder.resolve("a").toString()},
            {"model", "init", "--tiny", folder.resolve("a").toString()}}) {
            CommandRun run = CommandRun.of(wrong);
            assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
            assertEquals(1, run.complaints().size(), run.err());
        }
        assertEquals(0, folder.toFile().list().length);
    }
}
