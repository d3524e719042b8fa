package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.samples.Main;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import dev.slipstream.samples.terminal.Terminal;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchStepsTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int steps(String... options) {
        String[] arguments = new String[options.length + 2];
        arguments[0] = "bench";
        arguments[1] = "steps";
        System.arraycopy(options, 0, arguments, 2, options.length);
        return Main.execute(new Terminal(new PrintWriter(out), new PrintWriter(err), () -> false), arguments);
    }

    @Test
    void everyWayOfAModelGetsARow(@TempDir Path folder) throws IOException {
        Path json = folder.resolve("steps.json");
        assertEquals(ExitCode.OK, steps("model", "--steps", "3", "--rounds", "2", "--json", json.toString()),
            err::toString);
        SchemaCheck.assertFits("bench steps", Files.readString(json));
        JsonArray rows = JsonParser.parseString(Files.readString(json)).getAsJsonArray();
        assertEquals(List.of("loop, direct", "engine, direct"),
            rows.asList().stream().map(row -> row.getAsJsonObject().get("way").getAsString()).toList());
        JsonObject first = rows.get(0).getAsJsonObject();
        assertEquals("model", first.get("model").getAsString());
        assertEquals(1, first.get("ratio").getAsDouble());
        rows.forEach(row -> assertTrue(row.getAsJsonObject().get("step_ms").getAsDouble() > 0
            && row.getAsJsonObject().get("host_us").getAsDouble() > 0, row::toString));
        assertTrue(out.toString().contains("engine, direct"), out::toString);
    }

    @ParameterizedTest
    @CsvSource({"--steps, 0", "--rounds, 0", "--json, /no/such/folder/steps.json"})
    void whatCannotBeMeasuredIsSaidBeforeAnythingIsBuilt(String option, String value) {
        assertEquals(ExitCode.WRONG_USAGE, steps("model", option, value));
        assertTrue(err.toString().contains(option), err::toString);
    }
}
