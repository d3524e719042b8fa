package dev.slipstream.samples.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.calibration.LatentThresholds;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.samples.CommandRun;
import dev.slipstream.samples.SchemaCheck;
import dev.slipstream.samples.terminal.ExitCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures that go on from latents of others, on the command line. */
class CachedPicturesTest {
    @TempDir
    private Path folder;

    private Path model(String family) {
        Path model = folder.resolve(family);
        assertEquals(ExitCode.OK, CommandRun.of("model", "init", "--like", family, "--tiny", model.toString()).code());
        return model;
    }

    private CommandRun generate(Path model, String prompt, String... more) {
        CommandRun run = CommandRun.of(Stream.concat(Stream.of("generate", prompt, "--model", model.toString(),
            "--steps", "10", "--devices", "1", "--seed", "1", "--output", folder.resolve("x.png").toString(),
            "--cache-folder", folder.resolve("latents").toString()), Stream.of(more)).toArray(String[]::new));
        assertEquals("", run.err());
        return run;
    }

    /** Whatever says the same serves half of the steps. */
    private static void allowAll(Path model) throws IOException {
        try (PipelineSpec paper = DiffusionPipeline.of(model).spec()) {
            LatentThresholds.write(LatentThresholds.beside(model), "tiny", paper.unwrap(ImageRequest.of("any"),
                PartitionedDenoiser.class).denoiser(), new Thresholds(List.of(new Level(0, 0, 0.5))),
                new LatentThresholds.Measured("ddim", 10, 4, 20, 30));
        }
    }

    @Test
    void aPictureSaysWhatItWentOnFromOrWhyItWasDrawnWhole() throws IOException {
        Path model = model("sd15");
        allowAll(model);
        String first = generate(model, "a red star", "--cache", "use").out();
        assertTrue(first.contains("\ncache    drawn whole: nothing is kept for such requests"), first);
        String second = generate(model, "the red star", "--cache", "use").out();
        assertTrue(second.matches("(?s)plan     sequential, [56] of 10 steps .*\ncache    went on from [0-9a-f]{12} at "
            + "step 5 of 10, score [01]\\.\\d{3}\\s*"), second);
        CommandRun third = generate(model, "the red star", "--cache", "read", "--cache-namespace", "b", "--json");
        SchemaCheck.assertFits("generate", third.out());
        assertEquals("nothing is kept for such requests", cache(third).get("miss").getAsString());
        CommandRun fourth = generate(model, "a the red star", "--cache", "read", "--json");
        SchemaCheck.assertFits("generate", fourth.out());
        assertEquals(5, cache(fourth).get("step").getAsInt());
        assertTrue(generate(model, "a red star").out().endsWith("seed 1)\n"), "nothing is said of what was not asked");
        String stats = CommandRun.of("cache", "stats", "--folder", folder.resolve("latents").toString()).out();
        assertTrue(stats.contains("default           1 "), stats);
    }

    private static JsonObject cache(CommandRun run) {
        return run.json().getAsJsonArray("pictures").get(0).getAsJsonObject().getAsJsonObject("cache");
    }

    @Test
    void aVideoGoesOnFromAnother() throws IOException {
        Path model = model("animatediff");
        try (PipelineSpec paper = DiffusionPipeline.of(model).spec()) {
            assertTrue(paper.makesVideos());
        }
        CommandRun run = generate(model, "a red star", "--cache", "write", "--frames", "2");
        assertTrue(run.out().contains("video "), run.out());
        assertEquals(ExitCode.OK, CommandRun.of("cache", "verify", "--folder", folder.resolve("latents").toString())
            .code());
        String missed = generate(model, "the red star", "--cache", "read", "--frames", "2").out();
        assertTrue(missed.contains("\ncache    drawn whole: "), missed);
    }
}
