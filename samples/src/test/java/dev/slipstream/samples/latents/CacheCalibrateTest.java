package dev.slipstream.samples.latents;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheCalibrateTest {
    /** Twelve pairs that say the same, of four articles; and a word less. */
    private static final String PROMPTS = """
        a small red star on a blue background
        the small red star on a blue background
        a small red star on the blue background
        the small red star on the blue background
        a red star on a blue background
        """;

    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void writeModel() {
        model = folder.resolve("model");
        assertEquals(ExitCode.OK, CommandRun.of("model", "init", "--like", "sd15", "--tiny", model.toString()).code());
    }

    private CommandRun calibrate(String prompts, String... more) throws IOException {
        Path file = Files.writeString(folder.resolve("prompts.txt"), prompts);
        String[] words = new String[more.length + 8];
        System.arraycopy(new String[] {"cache", "calibrate", model.toString(), "--prompts", file.toString(), "--steps",
            "10", "--devices=1"}, 0, words, 0, 8);
        System.arraycopy(more, 0, words, 8, more.length);
        return CommandRun.of(words);
    }

    @Test
    void whatIsMeasuredIsFoundBesideTheModelAndServes() throws IOException {
        CommandRun run = calibrate(PROMPTS, "--psnr", "1", "--json");
        assertEquals("", run.err());
        SchemaCheck.assertFits("cache calibrate", run.out());
        JsonObject json = JsonParser.parseString(Files.readString(model.resolve("slipstream-latents.json")))
            .getAsJsonObject();
        assertEquals(run.json().getAsJsonArray("levels").get(0).getAsJsonObject().get("score"),
            json.getAsJsonArray("levels").get(0).getAsJsonObject().get("score"));
        assertEquals(0.5, json.getAsJsonArray("levels").get(0).getAsJsonObject().get("part").getAsDouble());
        assertEquals((12 + 8) * (5 + 3), json.get("pairs").getAsInt());
        assertEquals(0.6,
            json.getAsJsonArray("picture_levels").get(0).getAsJsonObject().get("part").getAsDouble());
        assertEquals(10, json.get("steps").getAsInt());
    }

    @Test
    void whereNothingIsGoodEnoughTheFileServesNothingAndThatIsSaid() throws IOException {
        CommandRun run = calibrate(PROMPTS, "--psnr", "99", "--output", folder.resolve("levels.json").toString());
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertTrue(run.out().contains("levels.json lets nothing go on from others: no score was enough for nine of ten "
            + "pictures to keep 99 dB."), run.out());
        assertTrue(Files.readString(folder.resolve("levels.json")).contains("\"levels\": []"));
        assertFalse(Files.exists(model.resolve("slipstream-latents.json")));
    }

    @Test
    void groupsThatSayDifferentThingsAreRefusedWithTheirLine() throws IOException {
        CommandRun run = calibrate("a red star\nthe red star\n\na red star on blue\na blue star on red\n");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("the group at line 4 of "), run.err());
        assertTrue(run.err().contains("has no two prompts that say the same"), run.err());
    }
}
