package dev.slipstream.samples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
                : new String[] {"generate", "plan", "run", "verify", "bench", "model", "engines", "doctor", "help"}) {
            assertTrue(run.err().contains("\n  " + command + " "), command + " is missing in " + run.err());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"generate", "plan", "run", "verify", "bench", "model", "engines", "doctor"})
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
    void theVersionIsPrinted() {
        CommandRun run = CommandRun.of("--version");
        assertEquals(ExitCode.OK, run.code());
        assertTrue(run.out().startsWith("slipstream "), run.out());
        assertTrue(run.out().contains("Java " + Runtime.version()), run.out());
    }
}
