package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.samples.terminal.ExitCode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HelpTest {
    @Test
    void withoutACommandTheCommandsAreListedAsAComplaint() {
        CommandRun run = CommandRun.of();
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertEquals("", run.out());
        for (String command
                : new String[] {"generate", "plan", "predict", "profile", "run", "verify", "bench", "model", "engines",
                    "cache", "doctor", "schema", "completion", "share", "help"}) {
            assertTrue(run.err().contains("\n  " + command + " "), command + " is missing in " + run.err());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bench steps", "bench graphs", "model init", "model cuts", "engines list",
        "engines build", "engines clear", "cache list", "cache stats", "cache verify", "cache calibrate",
        "cache clear"})
    void commandsOfAGroupAreListedThereAndHaveHelpOfTheirOwn(String command) {
        String[] words = command.split(" ");
        CommandRun run = CommandRun.of(words[0], words[1], "--help");
        assertEquals(ExitCode.OK, run.code());
        assertTrue(run.out().startsWith("Usage: slipstream " + command + " "), run.out());
        assertTrue(run.out().lines().allMatch(line -> line.length() <= 80), run.out());
        assertEquals(run.out(), CommandRun.of("help", words[0], words[1]).out());
        String group = CommandRun.of(words[0], "--help").out();
        assertTrue(group.contains("\n  " + words[1] + " "), group);
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "plan", "predict", "profile", "run", "verify", "bench", "model", "engines",
        "doctor", "schema", "completion", "share", "help"})
    void helpForACommandIsTheSameInBothWaysAndNamesTheExitCodes(String command) {
        CommandRun asked = CommandRun.of("help", command);
        CommandRun option = CommandRun.of(command, "--help");
        assertEquals(ExitCode.OK, asked.code());
        assertEquals(ExitCode.OK, option.code());
        assertEquals(asked.out(), option.out());
        assertTrue(option.out().contains("130   cancelled"), option.out());
        assertTrue(option.out().lines().allMatch(line -> line.length() <= 80), option.out());
    }

    @Test
    void optionsAreInGroupsTheUsualOnesFirst() {
        String help = CommandRun.of("generate", "--help").out();
        assertEquals(List.of("The picture:", "Output:", "The model:", "Where and how it runs:",
            "A picture to start from:", "Reading prompts:", "ControlNets:", "Videos:", "General:", "Settings:",
            "Exit codes:", "Examples:"),
            help.lines().filter(line -> line.matches("\\p{Lu}[\\w ]+:") && !line.startsWith("With ")).toList());
        assertTrue(help.indexOf("--steps") < help.indexOf("--scheduler"), help);
        assertTrue(help.startsWith("Usage: slipstream generate [OPTIONS] PROMPT\n"), help);
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "plan", "predict", "profile", "run", "verify", "bench", "bench steps",
        "bench graphs", "model", "model init", "model cuts", "engines", "engines list", "engines build",
        "engines clear", "cache", "cache list", "cache stats", "cache verify", "cache calibrate", "cache clear",
        "doctor", "schema", "completion", "share"})
    void everyHelpHasExamples(String command) {
        List<String> words = new ArrayList<>(List.of(command.split(" ")));
        words.add("--help");
        String help = CommandRun.of(words.toArray(String[]::new)).out();
        assertTrue(help.substring(help.indexOf("\nExample")).contains("\n  slipstream " + command), help);
    }

    @Test
    void theVersionIsPrinted() {
        CommandRun run = CommandRun.of("--version");
        assertEquals(ExitCode.OK, run.code());
        assertTrue(run.out().startsWith("slipstream "), run.out());
        assertTrue(run.out().contains("Java " + Runtime.version()), run.out());
    }
}
