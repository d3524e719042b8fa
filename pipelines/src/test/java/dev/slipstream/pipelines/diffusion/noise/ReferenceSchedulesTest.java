package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every class and option against numbers that diffusers 0.40 gave in fp32; the README beside them tells the loop. */
class ReferenceSchedulesTest {
    /** What they differ in, how they begin late, diffusers has not got; MethodPropertiesTest has properties of it. */
    private static final Map<String, String> RESTARTING = Map.of("pndm-restart", "pndm", "lms-restart", "lms");

    /** A case, and the configuration of the class that ran. */
    record Case(JsonObject expected, String config) {
        NoiseScheduler scheduler() {
            return NoiseScheduler.parse(config, "this test");
        }

        NoiseTable whole() {
            return scheduler().table(steps());
        }

        NoiseTable table() {
            long first = whole().rows().subList(0, begin()).stream().filter(row -> !row.continues()).count();
            return scheduler().table(steps(), (int) first);
        }

        int steps() {
            return expected.get("steps").getAsInt();
        }

        int begin() {
            return expected.get("begin").getAsInt();
        }

        /** The method that ran, without its spacing. */
        String method() {
            String name = whole().name();
            return NoiseScheduler.methods().stream().filter(method -> name.equals(method)
                || SigmaSpacing.Kind.named().stream().anyMatch(kind -> name.equals(method + kind.suffix())))
                .findFirst().orElse(name);
        }

        @Override
        public String toString() {
            return expected.get("name").getAsString() + " " + expected.get("method").getAsString() + " " + steps()
                + " from " + begin();
        }
    }

    static Stream<Case> cases() throws IOException {
        try (InputStreamReader in = new InputStreamReader(
            ReferenceSchedulesTest.class.getResourceAsStream("reference-schedules.json"), StandardCharsets.UTF_8)) {
            JsonObject table = JsonParser.parseReader(in).getAsJsonObject();
            return table.getAsJsonArray("cases").asList().stream().map(each -> {
                JsonObject one = each.getAsJsonObject();
                JsonObject config =
                    table.getAsJsonObject("configs").getAsJsonObject(one.get("config").getAsString()).deepCopy();
                config.add("_class_name", one.get("method"));
                return new Case(one, config.toString());
            }).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void latentsAfterTheLastStepAreThoseOfDiffusers(Case given) {
        ToyLoop.assertAgrees(given.expected, given.whole(), given.table(), given.begin());
    }

    /** A method's coefficients are those that are published only if numbers of others say so. */
    @Test
    void eachMethodHasCasesOfFewStepsOfManyAndBegunLate() throws IOException {
        Map<String, List<Case>> checked = new HashMap<>();
        cases().forEach(each -> checked.computeIfAbsent(each.method(), name -> new ArrayList<>()).add(each));
        List<String> missing = new ArrayList<>();
        for (String method : NoiseScheduler.methods()) {
            List<Case> cases = checked.getOrDefault(RESTARTING.getOrDefault(method, method), List.of());
            if (cases.stream().noneMatch(each -> each.steps() == 2)) {
                missing.add(method + " of 2 steps");
            }
            if (cases.stream().noneMatch(each -> each.steps() >= 15)) {
                missing.add(method + " of 15 steps or more");
            }
            if (cases.stream().noneMatch(each -> each.begin() > 0)) {
                missing.add(method + " that begins late");
            }
        }
        assertEquals(List.of(), missing, "make these cases with make_cases.py, as README.md beside it says");
    }

    @Test
    void restartingMethodsTakeTheStepsOfTheMethodsWithCasesUntilTheyBeginLate() {
        RESTARTING.forEach((restarting, method) -> {
            NoiseScheduler scheduler = NoiseScheduler.parse("{\"_class_name\": \"DDIMScheduler\"}", "this test");
            List<Row> restarted = scheduler.withMethod(restarting).table(9).rows();
            List<Row> rows = scheduler.withMethod(method).table(9).rows();
            assertEquals(rows.stream().map(Row::continued).toList(), restarted.stream().map(Row::continued).toList());
        });
    }

    @Test
    void eachSpacingHasAReferenceCase() throws IOException {
        Set<String> checked = cases().map(each -> each.whole().name()).collect(Collectors.toSet());
        for (SigmaSpacing.Kind kind : SigmaSpacing.Kind.named()) {
            assertTrue(checked.stream().anyMatch(name -> name.endsWith(kind.suffix())), kind.suffix());
        }
    }
}
