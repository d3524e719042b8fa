package dev.slipstream.pipelines.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.model.folder.RandomModel;
import dev.slipstream.pipelines.model.folder.RandomModel.Family;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.io.TempDir;

/** A whole model whose configurations have one setting that is wrong, up to the plan of a picture. */
class ConfigFuzzTest {
    private static final List<String> FILES = List.of("model_index.json", "unet/config.json", "vae/config.json",
        "text_encoder/config.json", "text_encoder_2/config.json", "scheduler/scheduler_config.json",
        "tokenizer/tokenizer_config.json");

    @TempDir
    private Path folder;

    @Test
    void wrongSettingsAreFollowedOrRefused(TestReporter reporter) throws IOException, InterruptedException {
        RandomModel.write(folder, Family.SDXL);
        JsonObject all = new JsonObject();
        for (String file : FILES) {
            if (Files.exists(folder.resolve(file))) {
                all.add(file, JsonParser.parseString(Files.readString(folder.resolve(file))));
            }
        }
        ImageRequest request = ImageRequest.of("a red star").withSteps(2);

        // Room for layers and timesteps up to where they are too many; a model takes as long as a hundred files.
        Fuzz.Outcome outcome = new Fuzz("configurations", 256 << 20, 0).run(Fuzz.tries(30_000) / 100,
            random -> damaged(all, random), bytes -> {
                write(JsonParser.parseString(new String(bytes, StandardCharsets.UTF_8)).getAsJsonObject());
                try (PipelineSpec spec = DiffusionPipeline.of(folder).devices("cpu:1").spec()) {
                    spec.plan(request);
                }
            });
        reporter.publishEntry("fuzz configurations", outcome.toString());
        assertTrue(outcome.read() > 0 && outcome.refused() > 0, outcome::toString);
    }

    private static byte[] damaged(JsonObject all, Random random) {
        JsonObject copy = all.deepCopy();
        JsonElement one = copy.get(List.copyOf(copy.keySet()).get(random.nextInt(copy.size())));
        JsonDamage.damage(one, random);
        return copy.toString().getBytes(StandardCharsets.UTF_8);
    }

    private void write(JsonObject all) throws IOException {
        for (Map.Entry<String, JsonElement> file : all.entrySet()) {
            Files.writeString(folder.resolve(file.getKey()), file.getValue().toString());
        }
    }
}
