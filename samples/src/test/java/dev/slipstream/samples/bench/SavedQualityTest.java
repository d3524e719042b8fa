package dev.slipstream.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.model.init.ModelFamily;
import dev.slipstream.pipelines.model.init.ModelTemplate;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What bench keeps of a model's pictures, and predict chooses by. */
class SavedQualityTest {
    @TempDir
    private Path folder;
    private Path model;
    private Path table;

    @BeforeEach
    void writeModel() throws IOException {
        model = folder.resolve("tiny");
        ModelTemplate.of(ModelFamily.SD15, true).write(model);
        table = model.resolve("slipstream-quality.json");
    }

    private CommandRun bench(String... more) {
        return bench(6, more);
    }

    private CommandRun bench(int steps, String... more) {
        return CommandRun.of(Stream.concat(Stream.of("bench", "--model", model.toString(), "--save", "--quiet",
            "--rounds", "1", "--prompts", "1", "--seeds", "1", "--steps", "" + steps), Stream.of(more))
            .toArray(String[]::new));
    }

    private CommandRun predict(String... more) {
        return CommandRun.of(Stream.concat(Stream.of("predict", "--model", model.toString(), "--gpus", "A100",
            "--steps", "6"), Stream.of(more)).toArray(String[]::new));
    }

    private List<JsonObject> rows() throws IOException {
        return JsonParser.parseString(Files.readString(table)).getAsJsonObject().getAsJsonArray("rows").asList()
            .stream().map(row -> row.getAsJsonObject()).toList();
    }

    private static String text(JsonObject row, String key) {
        return row.get(key).getAsString();
    }

    @Test
    void whatWasMeasuredIsKeptBesideTheModelAndChosenBy() throws IOException {
        CommandRun bench = bench("--compare", "cache:every=2", "--compare", "cache:every=3");
        assertEquals(ExitCode.OK, bench.code(), bench::err);
        assertTrue(bench.out().contains("quality: " + table), bench::out);
        List<String> plans = rows().stream().map(row -> text(row, "plan")).toList();
        assertEquals(3, plans.size(), plans::toString);
        assertTrue(plans.getFirst().equals("sequential") && plans.get(1).startsWith("cache:every=2"), plans::toString);
        assertEquals(100, rows().getFirst().get("psnr_db").getAsDouble());
        assertTrue(rows().get(1).get("psnr_db").getAsDouble() < 100, rows()::toString);

        CommandRun predicted = predict("--json");
        assertEquals("", predicted.err());
        SchemaCheck.assertFits("predict", predicted.out());
        Map<String, Double> decibels = new HashMap<>();
        JsonParser.parseString(predicted.out()).getAsJsonObject().getAsJsonArray("plans").forEach(plan -> {
            JsonObject row = plan.getAsJsonObject();
            if (row.has("psnrDb")) {
                decibels.put(text(row, "plan"), row.get("psnrDb").getAsDouble());
            }
        });
        assertEquals(rows().get(2).get("psnr_db").getAsDouble(), decibels.get("cache:every=3"));
        assertEquals(3, decibels.size(), decibels::toString);
    }

    @Test
    void waitingRequestsAreMeasuredOneAfterAnotherAndOverlapped() throws IOException {
        Path json = folder.resolve("bench.json");
        CommandRun run = bench(2, "--devices", "cpu:1,cpu:1", "--compare", "cfg-split", "--requests", "3", "--json",
            json.toString());
        assertEquals(ExitCode.OK, run.code(), run::err);
        SchemaCheck.assertFits("bench", Files.readString(json));
        JsonParser.parseString(Files.readString(json)).getAsJsonArray().forEach(row -> {
            JsonObject queue = row.getAsJsonObject().getAsJsonObject("queue");
            assertEquals(3, queue.get("requests").getAsInt());
            assertTrue(queue.get("wall_ms").getAsDouble() > 0 && queue.get("overlapped_cpu_ms").getAsDouble() > 0);
        });
        assertTrue(run.out().contains("overlapped"), run::out);
        assertEquals(ExitCode.WRONG_USAGE, bench(2, "--requests", "-1").code());
    }

    @Test
    @Tag("slow")
    void measuringAgainReplacesTheSameAndKeepsOtherSettings() throws IOException {
        assertEquals(ExitCode.OK, bench("--compare", "cache:every=2").code());
        assertEquals(ExitCode.OK, bench(4, "--compare", "cache:every=2").code());
        assertEquals(4, rows().size());
        assertEquals(ExitCode.OK, bench("--compare", "cache:every=2").code());
        assertEquals(4, rows().size());
        assertEquals(List.of(5, 5, 7, 7), rows().stream().map(row -> row.get("steps").getAsInt()).toList());
    }

    @Test
    @Tag("slow")
    void withoutPlansThoseAreMeasuredThatAreChosenAmongAndTheirLikenessDecides() throws IOException {
        CommandRun run = bench("--devices", "cpu:1");
        assertEquals(ExitCode.OK, run.code(), run::err);
        JsonObject prediction = JsonParser.parseString(predict("--json").out()).getAsJsonObject();
        prediction.getAsJsonArray("plans").forEach(plan ->
            assertTrue(plan.getAsJsonObject().has("psnrDb"), () -> plan + " was not measured: " + run.out()));

        Files.writeString(table, Files.readString(table).replaceAll("\"psnr_db\": [0-9.]+", "\"psnr_db\": 35"));
        assertEquals("sequential", choice("36"));
        assertNotEquals("sequential", choice("34"));
        assertTrue(predict().out().lines().anyMatch(line -> line.endsWith(" dB")), "there is a column for it");
    }

    private String choice(String decibels) {
        CommandRun run = predict("--psnr", decibels, "--json");
        assertEquals(ExitCode.OK, run.code(), run::err);
        return text(JsonParser.parseString(run.out()).getAsJsonObject(), "choice");
    }

    @Test
    void likenessThatWasNotMeasuredIsNotPromised() {
        CommandRun run = predict("--psnr", "40");
        assertEquals(ExitCode.WRONG_USAGE, run.code());
        assertTrue(run.err().contains("slipstream bench --save measures it"), run::err);
        assertTrue(run.err().contains("7 steps of pndm"), run::err);
    }

    @Test
    void damagedAndForeignTablesAreRefused() throws IOException {
        assertEquals(ExitCode.OK, bench("--compare", "cache:every=2").code());
        String text = Files.readString(table);
        Map<String, String> wrong = Map.of(text.replace("\"denoiser\": \"", "\"denoiser\": \"0"), "another denoiser",
            text.replace("slipstream-quality", "something"), "did not make this file",
            text.replace("\"version\": 1", "\"version\": 7"), "is 7",
            text.replace("\"psnr_db\": 100.0", "\"psnr_db\": \"much\""), "must be a number",
            text.replace("\"scheduler\"", "\"timetable\""), "is missing; run slipstream bench --save again",
            text.substring(0, text.length() / 2), "slipstream-quality.json");
        List<String> unnoticed = new ArrayList<>();
        for (Map.Entry<String, String> each : wrong.entrySet()) {
            Files.writeString(table, each.getKey());
            for (CommandRun run : List.of(predict(), bench("--compare", "cache:every=2"))) {
                if (run.code() != ExitCode.WRONG_USAGE || !run.err().contains(each.getValue())
                    || !run.err().contains(table.toString())) {
                    unnoticed.add(each.getValue() + ": " + run.err());
                }
            }
        }
        assertEquals(List.of(), unnoticed);
    }
}
