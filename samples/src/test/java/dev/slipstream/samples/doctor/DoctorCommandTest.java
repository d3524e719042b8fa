package dev.slipstream.samples.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.terminal.ExitCode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoctorCommandTest {
    @Test
    void allThatIsNeededIsFoundHere() {
        CommandRun run = CommandRun.of("doctor", "--model", CommandRun.MODEL.toString());
        assertEquals(ExitCode.OK, run.code(), run.out() + run.err());
        List<String> lines = run.out().lines().toList();
        assertTrue(lines.size() <= 15, run.out());
        assertTrue(lines.getFirst().startsWith("ok  Java        " + Runtime.version().feature()), run.out());
        assertTrue(lines.stream().anyMatch(line -> line.matches("ok  cpu +ONNX Runtime .*: cpu:\\d+")), run.out());
        assertTrue(lines.stream().anyMatch(line -> line.matches("ok  model +.*32x32 pixels.*")), run.out());
    }

    @Test
    void aMissingModelIsFoundAndTheRestIsStillLookedAt(@TempDir Path empty) {
        CommandRun run = CommandRun.of("doctor", "--model", empty.toString(), "--json");
        assertEquals(ExitCode.FAILED, run.code());
        JsonObject result = run.json();
        assertFalse(result.get("ready").getAsBoolean());
        List<JsonObject> findings = result.getAsJsonArray("findings").asList().stream()
            .map(JsonElement::getAsJsonObject).toList();
        assertEquals("BAD", state(findings, "model"));
        assertEquals("GOOD", state(findings, "Java"));
        assertEquals("GOOD", state(findings, "cpu"));
    }

    private static String state(List<JsonObject> findings, String subject) {
        return findings.stream().filter(finding -> finding.get("subject").getAsString().equals(subject)).findFirst()
            .orElseThrow().get("state").getAsString();
    }
}
