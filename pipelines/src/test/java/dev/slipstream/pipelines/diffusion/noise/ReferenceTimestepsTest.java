package dev.slipstream.pipelines.diffusion.noise;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.ReferenceFiles;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The noise schedulers of the reference cases; {@link TimestepTablesTest} holds the same without the folder. */
class ReferenceTimestepsTest {
    @ParameterizedTest
    @CsvSource({"sd21, ddim", "sdxl, euler"})
    void timestepsAndInitialScaleAreThoseOfTheReference(String family, String scheduler) throws IOException {
        Path folder = ReferenceFiles.orSkip("reference", family);
        JsonObject cases = JsonParser.parseString(Files.readString(folder.resolve("cases.json"))).getAsJsonObject();
        JsonObject expected = cases.getAsJsonObject("schedulers").getAsJsonObject(scheduler);
        NoiseTable table = NoiseScheduler.read(folder.resolve("scheduler-" + scheduler + "/scheduler_config.json"))
            .table(cases.get("steps").getAsInt());
        JsonArray timesteps = expected.getAsJsonArray("timesteps");
        assertEquals(timesteps.size(), table.steps());
        for (int step = 0; step < table.steps(); step++) {
            assertEquals(timesteps.get(step).getAsDouble(), table.rows().get(step).timestep());
        }
        assertEquals(expected.get("init_noise_sigma").getAsDouble(), table.initialScale(), 1e-5);
    }
}
