package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RefinerOptionTest {
    @TempDir
    private static Path folder;

    @BeforeAll
    static void writeModels() {
        for (String family : List.of("sdxl", "sdxl-refiner")) {
            assertEquals(ExitCode.OK, CommandRun.of("model", "init", "--like", family, "--tiny",
                folder.resolve(family).toString()).code());
        }
    }

    private static CommandRun run(String command, String... options) {
        List<String> args = new ArrayList<>(List.of(command, "--model", folder.resolve("sdxl").toString(), "--steps",
            "10"));
        args.addAll(Arrays.asList(options));
        return CommandRun.of(args.toArray(String[]::new));
    }

    private static CommandRun generate(String... options) {
        List<String> args = new ArrayList<>(List.of("a star", "--output", folder.resolve("star.png").toString()));
        args.addAll(Arrays.asList(options));
        return run("generate", args.toArray(String[]::new));
    }

    private static String refiner() {
        return folder.resolve("sdxl-refiner").toString();
    }

    @Test
    void theReportSaysWhatTheRefinerDid() {
        CommandRun run = generate("--refiner", refiner());
        assertEquals("", run.err());
        assertTrue(run.out().contains(", 10 steps of ")
            && run.out().contains("refiner  sdxl-refiner, the last 2 steps, with "), run.out());
        JsonObject refiner = generate("--refiner", refiner(), "--handover", "0.5", "--json").json()
            .getAsJsonObject("refiner");
        assertEquals("sdxl-refiner", refiner.get("model").getAsString());
        assertEquals(0.5, refiner.get("handover").getAsDouble());
        assertEquals(5, refiner.get("steps").getAsInt());
        assertFalse(generate("--json").json().has("refiner"));
    }

    @Test
    void thePlanShowsBothModels() {
        CommandRun text = run("plan", "--refiner", refiner(), "--devices", "2");
        assertEquals("", text.err());
        assertTrue(text.out().contains(", 8 steps, ") && text.out().contains(", 2 steps, ")
            && text.out().contains("\nthen the refiner, "), text.out());
        JsonObject plan = run("plan", "--refiner", refiner(), "--json").json();
        assertEquals(8, plan.get("steps").getAsInt());
        assertEquals(2, plan.getAsJsonObject("refiner").get("steps").getAsInt());
        assertFalse(run("plan", "--json").json().has("refiner"));
    }

    @Test
    void whatCannotBeHandedOverIsRefusedInOneLine() {
        for (String[] wrong : new String[][] {{"--handover", "0.5"}, {"--refiner", refiner(), "--handover", "1"},
            {"--refiner", CommandRun.MODEL.toString()}, {"--refiner", refiner(), "--handover", "0.999"}}) {
            CommandRun run = generate(wrong);
            assertEquals(ExitCode.WRONG_USAGE, run.code(), run.err());
            assertEquals(1, run.complaints().size(), run.err());
        }
    }
}
