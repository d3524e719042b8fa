package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.NoiseSpan;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;

/** Configurations of noise schedulers with up to three settings that are wrong or another method's, up to a table. */
class SchedulerFuzzTest {
    private static final int[] STEPS = {1, 2, 3, 7, 15, 50};

    @Test
    void wrongSettingsAreFollowedOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        List<JsonObject> configs = configs();
        // Room for as many timesteps as a schedule can have: a few numbers each.
        Fuzz.Outcome outcome = new Fuzz("noise schedulers", 512 << 20, 0).run(Fuzz.tries(750),
            random -> damaged(configs, random), bytes -> {
                Random random = new Random(bytes.length);
                NoiseScheduler scheduler =
                    NoiseScheduler.parse(new String(bytes, StandardCharsets.UTF_8), "a damaged file");
                if (random.nextBoolean()) {
                    scheduler = scheduler.forPipeline("StableDiffusionXLPipeline", Set.of());
                }
                if (random.nextBoolean()) {
                    List<String> names = NoiseScheduler.names();
                    scheduler = scheduler.withMethod(names.get(random.nextInt(names.size())));
                }
                if (random.nextInt(4) == 0) {
                    scheduler = scheduler.forImageTokens(random.nextInt(1, 10_000));
                }
                int steps = STEPS[random.nextInt(STEPS.length)];
                scheduler.table(steps, random.nextInt(steps), new NoiseSpan(0, random.nextBoolean() ? 1 : 0.8));
                NoiseTable table = scheduler.table(steps);
                if (table.limit().isEmpty()) {
                    repaint(table);
                }
            });
        reporter.publishEntry("fuzz noise schedulers", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    /** What cannot be kept is the caller's mistake, and says what he can do. */
    private static void repaint(NoiseTable table) {
        try {
            table.repainting(new Mix(0, table.initialScale()));
        } catch (IllegalArgumentException refused) {
            assertTrue(refused.getMessage().contains("leave out the mask"), refused::getMessage);
        }
    }

    private static List<JsonObject> configs() throws IOException {
        try (InputStreamReader in = new InputStreamReader(NoiseScheduler.class.getResourceAsStream(
            "reference-schedules.json"), StandardCharsets.UTF_8)) {
            JsonObject all = JsonParser.parseReader(in).getAsJsonObject().getAsJsonObject("configs");
            return all.entrySet().stream().map(each -> each.getValue().getAsJsonObject()).toList();
        }
    }

    private static byte[] damaged(List<JsonObject> configs, Random random) {
        JsonObject copy = configs.get(random.nextInt(configs.size())).deepCopy();
        JsonObject other = configs.get(random.nextInt(configs.size()));
        List<String> names = new ArrayList<>(other.keySet());
        for (int count = random.nextInt(3); count >= 0; count--) {
            String name = names.get(random.nextInt(names.size()));
            copy.add(name, other.get(name).deepCopy());
        }
        JsonArray boxed = new JsonArray();
        boxed.add(copy);
        for (int count = random.nextInt(3); count > 0; count--) {
            JsonDamage.damage(boxed, random);
        }
        JsonElement file = boxed.isEmpty() ? copy : boxed.get(0);
        return file.toString().getBytes(StandardCharsets.UTF_8);
    }
}
