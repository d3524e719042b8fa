package dev.slipstream.samples.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.samples.SchemaCheck;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code verify --schedules}: tables of a few cases of diffusers 0.40, whole, changed and damaged. */
class VerifySchedulesTest {
    private static final String NAMED = "named-schedules.json";
    private static final String OWN = "own-schedules.json";
    /** Where fp32 loses digits that double precision has; docs/noise-schedulers.md says why. */
    private static final Set<String> OFF_BY_ROUNDING = Set.of("noobai-vpred", "eulera-zsnr", "pndm-defaults");

    @TempDir
    private Path folder;

    private static String resource(String name) throws IOException {
        try (InputStream in = VerifySchedulesTest.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private VerifyRun verify(String table, String... options) throws IOException {
        String[] all = new String[options.length + 1];
        System.arraycopy(options, 0, all, 0, options.length);
        all[options.length] = "--schedules";
        return VerifyRun.of(Files.writeString(folder.resolve("table.json"), table), all);
    }

    @ParameterizedTest
    @CsvSource({NAMED + ", 6", OWN + ", 2"})
    void bothFormsOfTablesAgree(String name, int cases) throws IOException {
        VerifyRun run = verify(resource(name));
        assertEquals(0, run.exitCode(), run.out());
        assertEquals(cases + " of " + cases + " noise schedules agree", run.out().strip());
    }

    @Test
    void aCaseThatDiffersIsNamedAndTheOthersAgree() throws IOException {
        JsonObject table = JsonParser.parseString(resource(NAMED)).getAsJsonObject();
        JsonObject changed = table.getAsJsonArray("cases").get(1).getAsJsonObject();
        changed.remove("each");
        JsonArray last = changed.getAsJsonArray("last");
        double largest = last.asList().stream().mapToDouble(each -> Math.abs(each.getAsDouble())).max().orElseThrow();
        last.set(0, JsonParser.parseString(Double.toString(last.get(0).getAsDouble() + 3e-4 * largest)));
        VerifyRun run = verify(table.toString());
        assertEquals(1, run.exitCode());
        assertTrue(run.out().startsWith(changed.get("name").getAsString() + ": differs by 3.00e-04"), run.out());
        assertTrue(run.out().contains("5 of 6 noise schedules agree"), run.out());
    }

    @Test
    void programsReadEveryCaseWithItsDifferenceOrItsReason() throws IOException {
        JsonObject table = JsonParser.parseString(resource(NAMED)).getAsJsonObject();
        table.getAsJsonArray("cases").get(0).getAsJsonObject().addProperty("method", "SASolverScheduler");
        JsonArray timesteps = table.getAsJsonArray("cases").get(1).getAsJsonObject().getAsJsonArray("timesteps");
        timesteps.set(0, JsonParser.parseString("42"));
        VerifyRun run = verify(table.toString(), "--json");
        assertEquals(1, run.exitCode());
        SchemaCheck.assertFits("verify schedules", run.out());
        JsonArray cases = JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonArray("cases");
        assertEquals(6, cases.size());
        JsonObject refused = cases.get(0).getAsJsonObject();
        assertTrue(!refused.get("agrees").getAsBoolean() && refused.get("difference").isJsonNull());
        assertTrue(refused.get("reason").getAsString().contains("'SASolverScheduler' is not supported"));
        assertTrue(cases.get(1).getAsJsonObject().get("reason").getAsString().contains("not 42"));
        for (int i = 2; i < cases.size(); i++) {
            JsonObject good = cases.get(i).getAsJsonObject();
            assertTrue(good.get("agrees").getAsBoolean() && !good.has("reason"), good.toString());
            assertTrue(good.get("difference").getAsDouble() < 1e-4);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "\"method\":\"DDIMScheduler\" | \"method\":3 | method",
        "\"config\":\"heun\" | \"config\":\"none\" | 'none'",
        "\"steps\":3 | \"steps\":0 | steps",
        "\"begin\":0 | \"begin\":99 | begin",
        "\"begin\":0 | \"begin\":-1 | begin",
        "\"last\":[ | \"last\":[1, | 8 numbers",
        "\"last\":[ | \"last\":[\"much\", | last",
        "\"timesteps\":[ | \"timesteps\":[[], | timesteps",
        "\"timesteps\":[ | \"times\":[ | timesteps",
        "\"each\":[ | \"each\":[1, | each",
        "\"name\": | \"title\": | name"})
    void aDamagedCaseIsRefusedByNameAndTheOthersRun(String good, String bad, String named) throws IOException {
        String table = resource(NAMED);
        String whole = named.equals("8 numbers") ? withoutEach(table) : table;
        String damaged = whole.replaceFirst(Pattern.quote(good), Matcher.quoteReplacement(bad));
        assertTrue(!damaged.equals(whole));
        VerifyRun run = verify(damaged);
        assertEquals(1, run.exitCode(), run.out());
        assertTrue(run.out().lines().findFirst().orElseThrow().contains(named), run.out());
        assertTrue(run.out().contains("5 of 6 noise schedules agree"), run.out());
    }

    @Test
    void whatIsNoCaseIsRefusedByItsPlace() throws IOException {
        JsonObject table = JsonParser.parseString(resource(NAMED)).getAsJsonObject();
        table.getAsJsonArray("cases").add(3);
        table.getAsJsonArray("cases").add(new JsonObject());
        VerifyRun run = verify(table.toString());
        assertEquals(1, run.exitCode(), run.out());
        assertEquals(List.of("case 7", "case 8", "6 of 8 noise schedules agree"),
            run.out().lines().map(line -> line.replaceFirst(":.*", "")).toList());
    }

    @Test
    void whatOnlyAnotherClassKnowsOfItsFileIsWithoutEffect() throws IOException {
        JsonObject table = JsonParser.parseString(resource(NAMED)).getAsJsonObject();
        table.getAsJsonObject("configs").entrySet().forEach(each -> {
            each.getValue().getAsJsonObject().addProperty("_class_name", "SASolverScheduler");
            each.getValue().getAsJsonObject().addProperty("predictor_order", 2);
        });
        assertEquals("6 of 6 noise schedules agree", verify(table.toString()).out().strip());
        table.getAsJsonObject("configs").entrySet().forEach(each ->
            each.getValue().getAsJsonObject().remove("_class_name"));
        VerifyRun run = verify(table.toString());
        assertTrue(run.out().contains("predictor_order = 2 is not known"), run.out());
    }

    @Test
    void aNameThatNoCaseHasIsRefused() throws IOException {
        VerifyRun run = verify(resource(NAMED), "--case=none");
        assertEquals(2, run.exitCode(), run.out());
        assertTrue(run.error().getMessage().contains("no case none"), run.error().getMessage());
    }

    private static String withoutEach(String table) {
        return table.replaceAll(",\"each\":\\[\\[.*?\\]\\]", "");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "3", "nonsense", "{}", "{\"others\": [1]}",
        "{\"cases\": {}}", "{\"configs\": 3, \"cases\": [1]}", "{\"cases\": []}"})
    void whatIsNoTableIsRefused(String text) throws IOException {
        VerifyRun run = verify(text);
        assertEquals(2, run.exitCode(), run.out());
        assertTrue(run.error().getMessage().contains("table.json"), run.error().getMessage());
    }

    @Test
    void aMissingTableIsNamed() {
        VerifyRun run = VerifyRun.of(folder.resolve("none.json"), "--schedules");
        assertEquals(2, run.exitCode());
        assertTrue(run.error().getMessage().contains("none.json is missing"));
    }

    /** A thousand cases, which not every checkout has. */
    @ParameterizedTest
    @ValueSource(strings = {"matrix.json", "schedules.json"})
    void theWholeReferenceAgreesButForRounding(String name) {
        Path table = ReferenceFiles.orSkip("reference-schedules", name);
        VerifyRun run = VerifyRun.of(table, "--json", "--schedules");
        SchemaCheck.assertFits("verify schedules", run.out());
        JsonArray cases = JsonParser.parseString(run.out()).getAsJsonObject().getAsJsonArray("cases");
        List<JsonObject> off = IntStream.range(0, cases.size()).mapToObj(i -> cases.get(i).getAsJsonObject())
            .filter(each -> !each.get("agrees").getAsBoolean()).toList();
        Set<String> names = off.stream().map(each -> each.get("name").getAsString()).collect(Collectors.toSet());
        assertTrue(OFF_BY_ROUNDING.containsAll(names), off::toString);
        assertTrue(off.size() <= cases.size() / 100, off::toString);
    }
}
