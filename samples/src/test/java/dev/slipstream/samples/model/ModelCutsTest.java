package dev.slipstream.samples.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.util.List;
import org.junit.jupiter.api.Test;

class ModelCutsTest {
    @Test
    void cutsOfTheSampleModelAreComparedWithThoseBesideIt() {
        CommandRun run = CommandRun.of("model", "cuts", "model", "--parts", "2,3");

        assertEquals(ExitCode.OK, run.code(), run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.getFirst().startsWith("unet, latents float32[1, 12, 16, 16], with guidance, fp32: "),
            lines.getFirst());
        assertEquals(List.of("2 best", "2 fastest", "2 lean", "2 chain", "2 balanced", "2 shell", "2 contiguous",
            "3 best", "3 fastest", "3 lean", "3 chain", "3 balanced"), lines.stream().skip(3)
            .map(line -> String.join(" ", List.of(line.strip().split(" +")).subList(0, 2))).toList());
        assertTrue(lines.get(3).endsWith("c0.0 c1 c0.1"), lines.get(3));
    }

    @Test
    void oneModelIsNamed() {
        assertEquals(ExitCode.WRONG_USAGE, CommandRun.of("model", "cuts").code());
        assertEquals(ExitCode.WRONG_USAGE, CommandRun.of("model", "cuts", "model", "--like", "sd15").code());
        assertEquals(ExitCode.WRONG_USAGE, CommandRun.of("model", "cuts", "model", "--parts", "1").code());
    }
}
