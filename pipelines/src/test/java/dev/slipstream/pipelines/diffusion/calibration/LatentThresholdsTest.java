package dev.slipstream.pipelines.diffusion.calibration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.PipelineSpec;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.model.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LatentThresholdsTest {
    private static final Thresholds BOTH = new Thresholds(List.of(new Level(0.9, 0, 0.5), new Level(0.95, 1, 0.2)),
        List.of(new Level(0.97, 0, 0.8)));

    @TempDir
    private Path model;

    private DenoiserGraph write() throws IOException {
        try (PipelineSpec paper = DiffusionPipeline.of(Path.of("..", "samples", "model")).devices("cpu:1").spec()) {
            DenoiserGraph denoiser =
                paper.unwrap(ImageRequest.of("a red star"), PartitionedDenoiser.class).denoiser();
            LatentThresholds.write(LatentThresholds.beside(model), "sample", denoiser, BOTH,
                new LatentThresholds.Measured("ddim", 50, 4, 1600, 30));
            return denoiser;
        }
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        assertEquals(BOTH, LatentThresholds.of(model, write()));
    }

    @Test
    void whereThereIsNoFileNothingServes() throws IOException {
        DenoiserGraph denoiser = write();
        Files.delete(LatentThresholds.beside(model));
        assertEquals(Thresholds.NONE, LatentThresholds.of(model, denoiser));
    }

    @Test
    void aFileThatSaysNothingOfFinishedPicturesLetsNoneServe() throws IOException {
        DenoiserGraph denoiser = write();
        Path file = LatentThresholds.beside(model);
        JsonObject json = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
        json.remove("picture_levels");
        Files.writeString(file, json.toString());
        assertEquals(new Thresholds(BOTH.levels()), LatentThresholds.of(model, denoiser));
    }

    @Test
    void aLevelOutOfItsRangeIsRefusedWithWhatCuresIt() throws IOException {
        DenoiserGraph denoiser = write();
        Path file = LatentThresholds.beside(model);
        Files.writeString(file, Files.readString(file).replace("0.97", "97"));
        String message = assertThrows(ModelException.class, () -> LatentThresholds.of(model, denoiser)).getMessage();
        assertTrue(message.endsWith("is missing or out of its range; run slipstream cache calibrate again"), message);
    }
}
