package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Long and weighted prompts, with a model of random weights. */
class PromptOptionsTest {
    private static final String LONG = "(red:1.2) ".repeat(80) + "star";

    @TempDir
    private static Path folder;

    @BeforeAll
    static void write() {
        ModelTemplate.of(ModelFamily.SD15, true).write(folder.resolve("model"));
    }

    private static Path picture() {
        return folder.resolve("picture.png");
    }

    private static CommandRun run(String command, String prompt, String... options) {
        List<String> args = new ArrayList<>(List.of(command, prompt, "--model", folder.resolve("model").toString(),
            "--steps", "2", "--plan", "sequential", "--devices", "1"));
        args.addAll(Arrays.asList(options));
        return CommandRun.of(args.toArray(String[]::new));
    }

    private static CommandRun generate(String prompt, String... options) {
        List<String> args = new ArrayList<>(List.of("--seed", "7", "--output", picture().toString()));
        args.addAll(Arrays.asList(options));
        return run("generate", prompt, args.toArray(String[]::new));
    }

    @Test
    void aLongPromptIsReadWholeAndBracketsWeighWhereThatIsAskedFor() throws IOException {
        CommandRun cut = generate(LONG, "--prompt-weights");
        assertEquals("slipstream: warning: prompt too long: 83 tokens, 77 fit; lost: \"red red red red red star\"",
            cut.err().strip());
        byte[] less = Files.readAllBytes(picture());
        CommandRun whole = generate(LONG, "--prompt-weights", "--long-prompts");
        assertEquals("", whole.err());
        assertEquals(ExitCode.OK, whole.code());
        assertFalse(Arrays.equals(less, Files.readAllBytes(picture())));
        assertTrue(PngText.parameters(picture()).contains("Prompt weights: read, Long prompts: whole"));
    }

    @Test
    void thePlanOfALongPromptTakesMoreMemoryWhicheverOfTheTwoPromptsIsLong() {
        CommandRun cut = run("plan", LONG, "--json");
        assertEquals(1, cut.complaints().size(), cut.err());
        assertTrue(cut.err().startsWith("{\"schema_version\":1,\"warning\":{\"message\":\"prompt too long: "),
            cut.err());
        CommandRun whole = run("plan", LONG, "--json", "--long-prompts");
        assertEquals("", whole.err());
        assertTrue(bufferBytes(whole) > bufferBytes(cut), whole.out());
        assertEquals(bufferBytes(whole), bufferBytes(run("plan", "", "--negative", LONG, "--json", "--long-prompts")));
    }

    private static long bufferBytes(CommandRun plan) {
        JsonObject device = plan.json().getAsJsonArray("devices").get(0).getAsJsonObject();
        return device.get("bufferBytes").getAsLong();
    }

    @Test
    void bracketsWithoutEndAreRefusedInOneLineAndAreTextWhereTheyDoNotWeigh() {
        CommandRun refused = generate("(".repeat(40), "--prompt-weights");
        assertEquals(ExitCode.WRONG_USAGE, refused.code());
        assertEquals(1, refused.complaints().size(), refused.err());
        assertTrue(refused.err().contains("brackets in brackets more than 32 deep"), refused.err());
        assertEquals("", generate("(".repeat(40)).err());
    }
}
