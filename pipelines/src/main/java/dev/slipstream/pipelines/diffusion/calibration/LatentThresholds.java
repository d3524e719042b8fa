package dev.slipstream.pipelines.diffusion.calibration;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.cache.Thresholds;
import dev.slipstream.pipelines.cache.Thresholds.Level;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** How much alike two prompts must be for a model's pictures to go on from one another, as a file beside the model. */
public final class LatentThresholds {
    private LatentThresholds() {
    }

    /**
     * How they were measured, for people.
     *
     * @param scheduler the noise scheduler's method
     * @param guidance weight of the prompt
     * @param pairs of prompts that were drawn
     * @param decibels what was wanted
     */
    public record Measured(String scheduler, int steps, double guidance, int pairs, double decibels) {
    }

    /** Where it lies: in the folder of a model, or next to its file. */
    public static Path beside(Path model) {
        return MeasuredFile.LATENTS.beside(model);
    }

    /**
     * Those of a model; {@link Thresholds#NONE} where there is no file.
     *
     * @param model the folder or file
     * @throws ModelException if the file is damaged or that of another denoiser
     */
    public static Thresholds of(Path model, DenoiserGraph denoiser) {
        Path file = beside(model);
        if (!Files.exists(file)) {
            return Thresholds.NONE;
        }
        ConfigFile config = MeasuredFile.LATENTS.read(file);
        MeasuredFile.LATENTS.requireFits(file, config.text("model").orElse("another model"),
            config.text("denoiser").orElse(""), denoiser);
        return new Thresholds(config.objects("levels").stream().map(LatentThresholds::level).toList(),
            config.objects("picture_levels").stream().map(LatentThresholds::level).toList());
    }

    private static Level level(ConfigFile level) {
        try {
            return new Level(level.number("score", -1), (int) level.number("extra_words", -1),
                level.number("part", -1));
        } catch (IllegalArgumentException wrong) {
            throw level.wrong("score, extra_words or part", "is missing or out of its range; "
                + MeasuredFile.LATENTS.again());
        }
    }

    /**
     * Writes them whole or not at all.
     *
     * @param model its name, for people
     * @throws IOException in one sentence
     */
    public static void write(Path file, String model, DenoiserGraph denoiser, Thresholds thresholds, Measured how)
            throws IOException {
        JsonObject json = MeasuredFile.LATENTS.head(model, MeasuredFile.hash(denoiser));
        json.addProperty("steps", how.steps);
        json.addProperty("guidance", how.guidance);
        json.addProperty("scheduler", how.scheduler);
        json.addProperty("pairs", how.pairs);
        json.addProperty("psnr_db", how.decibels);
        json.add("levels", json(thresholds.levels()));
        json.add("picture_levels", json(thresholds.finished()));
        MeasuredFile.write(file, json);
    }

    private static JsonArray json(List<Level> levels) {
        JsonArray list = new JsonArray();
        levels.forEach(level -> {
            JsonObject one = new JsonObject();
            one.addProperty("score", level.score());
            one.addProperty("extra_words", level.extraWords());
            one.addProperty("part", level.part());
            list.add(one);
        });
        return list;
    }
}
