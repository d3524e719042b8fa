package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** The loop that the reference cases ran in diffusers: README.md beside them tells it, make_cases.py is it. */
final class ToyLoop {
    private static final int ELEMENTS = 8;

    private ToyLoop() {
    }

    /** Fails if a whole table's timesteps, its scale or the latents after its last step are not the expected ones. */
    static void assertAgrees(JsonObject expected, NoiseTable whole, NoiseTable table, int begin) {
        assertEquals(expected.get("init_noise_sigma").getAsDouble(), whole.initialScale(),
            1e-4 * whole.initialScale());
        double[] timesteps = numbers(expected, "timesteps");
        assertEquals(timesteps.length, whole.steps());
        for (int row = 0; row < timesteps.length; row++) {
            double actual = whole.rows().get(row).timestep();
            // Of some spacings it is cut off after it was rounded in fp32: docs/noise-schedulers.md.
            boolean cutOff = row == 0 && timesteps[0] == 999 && actual == 998;
            assertEquals(timesteps[row], actual, cutOff ? 1 : 0.02, "timestep " + row);
        }
        double[] last = numbers(expected, "last");
        double largest = Arrays.stream(last).map(Math::abs).max().orElseThrow();
        double[] actual = run(table, begin);
        for (int i = 0; i < ELEMENTS; i++) {
            assertEquals(last[i], actual[i], 1e-4 * largest, "latent " + i);
        }
    }

    private static double[] run(NoiseTable table, int begin) {
        Mix start = table.start();
        double[] first = each(i -> begin == 0 ? table.initialScale() * (-1.75 + 0.5 * i)
            : start.image() * (0.25 * i - 0.875) + start.noise() * (0.5 * i - 1.75));
        return Walk.follow(table, first, (step, row, latent) -> Math.sin(0.7 * row.inputScale() * latent
            + 0.3 * (begin + step)), noise(table.rows())).getLast();
    }

    /** Only rows that take noise draw some. */
    private static double[][] noise(List<Row> rows) {
        double[][] noise = new double[rows.size()][];
        int drawn = 0;
        for (int step = 0; step < noise.length; step++) {
            int number = drawn;
            noise[step] = each(i -> Math.sqrt(2) * Math.sin(1.7 * number + 0.9 * i + 0.3));
            drawn += rows.get(step).next().noise() == 0 ? 0 : 1;
        }
        return noise;
    }

    private static double[] numbers(JsonObject expected, String name) {
        JsonArray array = expected.getAsJsonArray(name);
        return IntStream.range(0, array.size()).mapToDouble(i -> array.get(i).getAsDouble()).toArray();
    }

    private static double[] each(IntToDoubleFunction value) {
        return IntStream.range(0, ELEMENTS).mapToDouble(value).toArray();
    }
}
