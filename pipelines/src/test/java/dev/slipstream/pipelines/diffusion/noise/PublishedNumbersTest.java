package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Methods against numbers that diffusers 0.29.2 gave in fp32, but for four cases of DDPM, whose step goes to the
 * timestep that is visited next since 0.31; {@link ReferenceSchedulesTest} has those of 0.40. A case starts from 0.7
 * times the initial scale; in step i the denoiser predicts cos(1.3·i + 0.5) and the noise is sin(2.1·i + 0.3).
 */
class PublishedNumbersTest {
    @ParameterizedTest
    @MethodSource("cases")
    void everyStepGivesTheLatentsOfDiffusers(JsonObject expected) {
        NoiseTable table = NoiseScheduler.parse(expected.get("config").toString(), "this test")
            .table(expected.get("steps").getAsInt());
        double[] timesteps = numbers(expected, "timesteps");
        assertEquals(timesteps.length, table.steps());
        assertEquals(expected.get("initialScale").getAsDouble(), table.initialScale(), 1e-5 * table.initialScale());
        double[] noise = IntStream.range(0, table.steps()).mapToDouble(i -> Math.sin(2.1 * i + 0.3)).toArray();
        List<Double> latents = Walk.follow(table, 0.7 * table.initialScale(),
            (step, row, latent) -> Math.cos(1.3 * step + 0.5), noise);
        double[] expectedLatents = numbers(expected, "latents");
        double[] expectedInputs = numbers(expected, "inputs");
        for (int step = 0; step < table.steps(); step++) {
            String where = " of step " + step;
            NoiseTable.Row row = table.rows().get(step);
            // Karras timesteps lie between two trained ones, where diffusers divides small differences in fp32.
            assertEquals(timesteps[step], row.timestep(), 2e-3, "timestep" + where);
            assertClose(expectedInputs[step], row.inputScale() * latents.get(step), "input" + where);
            assertClose(expectedLatents[step], latents.get(step + 1), "latents" + where);
        }
    }

    /** fp32 subtracts numbers near 1 where the noise is small, so its last digits are not to be had. */
    private static void assertClose(double expected, double actual, String what) {
        assertEquals(expected, actual, 2e-5 * Math.max(1, Math.abs(expected)), what);
    }

    private static double[] numbers(JsonObject expected, String name) {
        JsonArray array = expected.getAsJsonArray(name);
        return IntStream.range(0, array.size()).mapToDouble(i -> array.get(i).getAsDouble()).toArray();
    }

    static Stream<JsonElement> cases() throws IOException {
        try (InputStream in = PublishedNumbersTest.class.getResourceAsStream("diffusers-0.29.2.json")) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8)).getAsJsonArray()
                .asList().stream();
        }
    }
}
