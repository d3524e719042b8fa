package dev.slipstream.samples.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

class SchemaCommandTest {
    private static final List<String> NAMES = SchemaCommand.NAMES;

    @TempDir
    private Path folder;

    @AfterEach
    void logAsBefore() {
        Logger.getLogger("dev.slipstream").setLevel(null);
    }

    @Test
    void withoutACommandTheSchemasAreListed() {
        assertEquals(NAMES, CommandRun.of("schema").out().lines().toList());
    }

    @ParameterizedTest
    @FieldSource("NAMES")
    void everySchemaIsPrintedAndHasTheVersionThatResultsHave(String name) {
        CommandRun run = CommandRun.of(("schema " + name).split(" "));
        assertEquals(ExitCode.OK, run.code(), run.err());
        JsonObject schema = run.json();
        assertEquals("urn:slipstream:schema:" + name.replace(' ', '-') + ":" + Json.SCHEMA_VERSION,
            schema.get("$id").getAsString());
        assertTrue(run.out().contains("\"const\": " + Json.SCHEMA_VERSION + ","), run.out());
    }

    @Test
    void aSchemaThatIsNotThereIsRefusedWithThoseThatAre() {
        CommandRun run = CommandRun.of("schema", "../secrets");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().startsWith("slipstream: there is no schema of '../secrets'; there are generate, "),
            run.err());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--devices 2 --plan asyncdiff:warmup=1", "--refiner MODEL"})
    void plansFit(String options) {
        String line = "plan --json --model MODEL " + options;
        CommandRun run = CommandRun.of(line.strip().replace("MODEL", CommandRun.MODEL.toString()).split(" "));
        assertEquals("", run.err());
        SchemaCheck.assertFits("plan", run.out());
    }

    @Test
    void picturesFit() {
        CommandRun run = CommandRun.of("one\ntwo", Map.of(), "generate", "-", "--json", "--steps", "1", "--model",
            CommandRun.MODEL.toString(), "--output", folder.resolve("x.png").toString());
        assertEquals("", run.err());
        SchemaCheck.assertFits("generate", run.out());
    }

    @Test
    void modelsFit() {
        SchemaCheck.assertFits("model init", CommandRun.of("model", "init", "--like", "sd15", "--tiny", "--json",
            folder.resolve("tiny").toString()).out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"doctor --json --model MODEL", "doctor --json --model nowhere"})
    void findingsFit(String line) {
        SchemaCheck.assertFits("doctor",
            CommandRun.of(line.replace("MODEL", CommandRun.MODEL.toString()).split(" ")).out());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "generate x --json --steps 0", "generate x --json --stepz 1", "generate --json", "genrate x --json",
        "plan --json --model nowhere", "plan --json --steps many", "doctor --json more", "engines list --json x",
        "model init --json", "verify --json", "schema --json"})
    void wrongUsageAndInputIsOneLineThatFits(String line) {
        CommandRun run = CommandRun.of(line.split(" "));
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertEquals("", run.out());
        assertEquals(1, run.complaints().size(), run.err());
        SchemaCheck.assertFits("error", run.err());
        JsonObject error = JsonParser.parseString(run.err()).getAsJsonObject().getAsJsonObject("error");
        assertEquals(ExitCode.WRONG_USAGE, error.get("exit_code").getAsInt());
        assertTrue(error.get("message").getAsString().contains("; "), run.err());
    }

    @ParameterizedTest
    @CsvSource({"plan --json --model nowhere, MODEL", "plan --json --plan zigzag, CALLER"})
    void anErrorSaysWhoCanMendIt(String line, String fault) {
        CommandRun run = CommandRun.of(line.split(" "));
        SchemaCheck.assertFits("error", run.err());
        JsonObject error = JsonParser.parseString(run.err()).getAsJsonObject().getAsJsonObject("error");
        assertEquals(fault, error.get("fault").getAsString());
        assertFalse(error.get("retryable").getAsBoolean());
    }

    @Test
    void withDebugTheTraceIsInTheLine() {
        CommandRun run = CommandRun.of("plan", "--json", "--debug", "--model", "nowhere");
        assertEquals(1, run.complaints().size(), run.err());
        SchemaCheck.assertFits("error", run.err());
        assertTrue(run.err().contains("at dev.slipstream."), run.err());
    }

    @Test
    void aPromptThatLooksLikeTheOptionIsText() {
        CommandRun run = CommandRun.of("generate", "--model", "nowhere", "--", "--json");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().startsWith("slipstream: "), run.err());
    }

    @Test
    void theCheckSeesWhatIsMissingWrongOrNew() {
        assertFalse(SchemaCheck.problems("error", "{\"error\": {\"message\": \"x\"}}").isEmpty());
        assertFalse(SchemaCheck.problems("error",
            "{\"schema_version\": 1, \"error\": {\"message\": \"x\", \"more\": 1}}").isEmpty());
        assertFalse(SchemaCheck.problems("doctor", "{\"schema_version\": 1, \"ready\": 3, \"findings\": []}")
            .isEmpty());
        assertTrue(SchemaCheck.problems("doctor", "{\"schema_version\": 1, \"ready\": true, \"findings\": []}")
            .isEmpty());
    }
}
