package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every option of every class that diffusers has: where it changes something there, it changes the same here or is
 * refused by name; where it says nothing there, it says nothing here.
 */
class ReferenceOptionsTest {
    private static final int TOKENS = 1024;
    /** diffusers says that it has not got this, or breaks on the way; here the formulas are those of the others. */
    private static final Set<String> WORKS_HERE = Set.of(
        "PNDMScheduler prediction_type=\"sample\"", "KDPM2DiscreteScheduler prediction_type=\"sample\"",
        "KDPM2AncestralDiscreteScheduler prediction_type=\"sample\"",
        "DPMSolverSDEScheduler prediction_type=\"sample\"",
        "EulerAncestralDiscreteScheduler prediction_type=\"sample\"",
        "KDPM2AncestralDiscreteScheduler beta_schedule=\"squaredcos_cap_v2\"",
        "EDMDPMSolverMultistepScheduler lower_order_final",
        // Those of another class' file, which say nothing of this one.
        "DEISMultistepScheduler algorithm_type=\"sde-dpmsolver++\"",
        "DEISMultistepScheduler algorithm_type=\"sde-dpmsolver\"",
        // Without flow matching there is nothing to shift.
        "DEISMultistepScheduler use_dynamic_shifting=true", "DPMSolverMultistepScheduler use_dynamic_shifting=true",
        "DPMSolverSinglestepScheduler use_dynamic_shifting=true", "UniPCMultistepScheduler use_dynamic_shifting=true",
        "DEISMultistepScheduler time_shift_type", "DPMSolverMultistepScheduler time_shift_type",
        "DPMSolverSinglestepScheduler time_shift_type", "UniPCMultistepScheduler time_shift_type",
        "UniPCMultistepScheduler shift_terminal");
    /** In fp32, as docs/noise-schedulers.md tells of large sigmas. */
    private static final Set<String> LOSES_DIGITS = Set.of("HeunDiscreteScheduler beta_schedule=\"squaredcos_cap_v2\"");

    /** What diffusers does with a value of an option, beside what else is set. */
    record Probe(JsonObject json) {
        String method() {
            return json.get("method").getAsString();
        }

        String option() {
            return json.get("option").getAsString();
        }

        String does() {
            return json.get("does").getAsString();
        }

        NoiseTable table(boolean probed) {
            JsonObject config = json.getAsJsonObject("with").deepCopy();
            config.addProperty("_class_name", method());
            if (probed) {
                config.add(option(), json.get("value"));
            }
            return NoiseScheduler.parse(config.toString(), "this test").forImageTokens(TOKENS)
                .table(json.get("steps").getAsInt());
        }

        Optional<NoiseTable> tableWithout() {
            try {
                return Optional.of(table(false));
            } catch (NoiseSchedulerException refused) {
                return Optional.empty();
            }
        }

        /** Where flow matching is on, the name says so. */
        String name() {
            return method() + " " + option() + "=" + json.get("value")
                + (json.getAsJsonObject("with").has("use_flow_sigmas") ? " of flow matching" : "");
        }

        @Override
        public String toString() {
            return method() + " " + option() + "=" + json.get("value") + " with " + json.get("with") + ", "
                + json.get("steps") + " steps";
        }
    }

    static Stream<Probe> probes() throws IOException {
        try (InputStreamReader in = new InputStreamReader(
            ReferenceOptionsTest.class.getResourceAsStream("reference-options.json"), StandardCharsets.UTF_8)) {
            return JsonParser.parseReader(in).getAsJsonArray().asList().stream().map(JsonElement::getAsJsonObject)
                .map(Probe::new).toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("probes")
    void anOptionDoesWhatItDoesInDiffusersOrIsRefusedByName(Probe probe) {
        switch (probe.does()) {
            case "changes" -> {
                NoiseTable table = probe.table(true);
                assertNotEquals(Optional.of(table), probe.tableWithout());
                if (!LOSES_DIGITS.contains(probe.name())) {
                    ToyLoop.assertAgrees(probe.json(), table, table, 0);
                }
            }
            case "nothing" -> assertEquals(probe.table(false), probe.table(true));
            case "fails" -> {
                if (WORKS_HERE.contains(probe.name()) || WORKS_HERE.contains(probe.method() + " " + probe.option())) {
                    probe.table(true);
                } else {
                    String message = assertThrows(NoiseSchedulerException.class, () -> probe.table(true)).getMessage();
                    assertTrue(message.contains(probe.option()), message);
                }
            }
            default -> throw new AssertionError(probe);
        }
    }

    /** As from_config leaves out what the class that is made does not know. */
    @ParameterizedTest
    @MethodSource("classNames")
    void optionsOfOtherClassesAreWithoutEffect(String className) throws IOException {
        Set<String> own = probes().filter(probe -> probe.method().equals(className)).map(Probe::option)
            .collect(Collectors.toSet());
        NoiseTable plain = NoiseScheduler.parse("{\"_class_name\": \"" + className + "\"}", "this test").table(7);
        probes().filter(probe -> !own.contains(probe.option())).forEach(probe -> {
            JsonObject config = new JsonObject();
            config.addProperty("_class_name", className);
            config.add(probe.option(), probe.json().get("value"));
            assertEquals(plain, NoiseScheduler.parse(config.toString(), "this test").table(7), config.toString());
        });
    }

    static Stream<String> classNames() {
        return Arrays.stream(NoiseMethod.values()).map(NoiseMethod::className).distinct();
    }

    /** So that a new class of diffusers is not read without knowing what its options do. */
    @Test
    void everyClassHasItsOptionsProbed() throws IOException {
        Set<String> probed = probes().map(Probe::method).collect(Collectors.toSet());
        assertEquals(List.of(), classNames().filter(name -> !probed.contains(name)).toList(),
            "give it a case, and run make_cases.py options");
    }
}
