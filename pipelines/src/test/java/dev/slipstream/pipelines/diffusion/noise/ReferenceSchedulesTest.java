package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.bridge.Limit;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Mix;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every class and option against numbers that diffusers 0.40 gave in fp32; the README beside them tells the loop. */
class ReferenceSchedulesTest {
    private static final int ELEMENTS = 8;
    /** Methods without a reference case, and what holds them instead. */
    private static final Set<String> WITHOUT_A_CASE = Set.of(
        // diffusers draws its noise from a Brownian tree; DpmSdeTest holds its law.
        "dpm++sde",
        // They differ from pndm and lms only where they begin late, on which MethodPropertiesTest has properties.
        "pndm-restart", "lms-restart");

    /** A case, and the configuration of the class that ran. */
    record Case(JsonObject expected, String config) {
        NoiseScheduler scheduler() {
            return NoiseScheduler.parse(config, "this test");
        }

        NoiseTable whole() {
            return scheduler().table(steps());
        }

        NoiseTable table() {
            int begin = expected.get("begin").getAsInt();
            long first = whole().rows().subList(0, begin).stream().filter(row -> !row.continues()).count();
            return scheduler().table(steps(), (int) first);
        }

        int steps() {
            return expected.get("steps").getAsInt();
        }

        double[] numbers(String name) {
            JsonArray array = expected.getAsJsonArray(name);
            return IntStream.range(0, array.size()).mapToDouble(i -> array.get(i).getAsDouble()).toArray();
        }

        @Override
        public String toString() {
            return expected.get("name").getAsString() + " " + expected.get("method").getAsString() + " " + steps()
                + " from " + expected.get("begin");
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
        NoiseTable whole = given.whole();
        assertEquals(given.expected.get("init_noise_sigma").getAsDouble(), whole.initialScale(),
            1e-4 * whole.initialScale());
        double[] timesteps = whole.rows().stream().mapToDouble(Row::timestep).toArray();
        assertEquals(given.numbers("timesteps").length, timesteps.length);
        for (int row = 0; row < timesteps.length; row++) {
            assertEquals(given.numbers("timesteps")[row], timesteps[row], 0.02, "timestep " + row);
        }
        NoiseTable table = given.table();
        if (table.limit().filter(Limit.DynamicThreshold.class::isInstance).isPresent()) {
            // Its bound depends on all values of a picture, and a walk knows one; the verify command's tests have them.
            return;
        }
        double[] expected = given.numbers("last");
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < ELEMENTS; i++) {
            assertEquals(expected[i], last(table, given.expected.get("begin").getAsInt(), i), 1e-4 * largest,
                "latent " + i);
        }
    }

    private static double last(NoiseTable table, int begin, int element) {
        Mix start = table.start();
        double first = begin == 0 ? table.initialScale() * (-1.75 + 0.5 * element)
            : start.image() * (0.25 * element - 0.875) + start.noise() * (0.5 * element - 1.75);
        return Walk.follow(table, first, (step, row, latent) -> Math.sin(0.7 * row.inputScale() * latent
            + 0.3 * (begin + step)), noise(table, element)).getLast();
    }

    /** Only rows that take noise draw some. */
    private static double[] noise(NoiseTable table, int element) {
        double[] noise = new double[table.steps()];
        int drawn = 0;
        for (int step = 0; step < table.steps(); step++) {
            if (table.rows().get(step).next().noise() != 0) {
                noise[step] = Math.sqrt(2) * Math.sin(1.7 * drawn++ + 0.9 * element + 0.3);
            }
        }
        return noise;
    }

    @Test
    void eachMethodHasAReferenceCase() throws IOException {
        Set<String> checked = new HashSet<>();
        cases().forEach(each -> checked.add(each.whole().name()));
        List<String> unchecked = NoiseScheduler.methods().stream()
            .filter(method -> checked.stream().noneMatch(name -> name.equals(method) || name.startsWith(method)
                && SigmaSpacing.Kind.named().stream().anyMatch(kind -> name.equals(method + kind.suffix()))))
            .filter(method -> !WITHOUT_A_CASE.contains(method)).toList();
        assertEquals(List.of(), unchecked, "append a case of diffusers to reference-schedules.json");
    }

    @Test
    void eachSpacingHasAReferenceCase() throws IOException {
        Set<String> checked = new HashSet<>();
        cases().forEach(each -> checked.add(each.whole().name()));
        for (SigmaSpacing.Kind kind : SigmaSpacing.Kind.named()) {
            assertTrue(checked.stream().anyMatch(name -> name.endsWith(kind.suffix())), kind.suffix());
        }
    }
}
