package dev.slipstream.pipelines.diffusion.calibration;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.plan.Cache;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Rounds;
import dev.slipstream.pipelines.plan.Strategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * How what a cache of a model keeps changes its size from step to step, as a file.
 *
 * @param model its name, for people
 * @param denoiser what its denoiser's configuration is known by: a hash
 * @param depth of the cache's shell
 * @param scheduler the noise scheduler's method, for people; {@code prompts}, how many were drawn, likewise
 * @param ratios of the size at each step to that at the step before
 */
public record Calibration(String model, String denoiser, int depth, String scheduler, int prompts,
    List<Double> ratios) {
    public Calibration {
        ratios = List.copyOf(ratios);
    }

    /** What a denoiser is known by. */
    public static String of(DenoiserGraph denoiser) {
        return MeasuredFile.hash(denoiser);
    }

    /** Where it lies: in the folder of a model, or next to its file. */
    public static Path beside(Path model) {
        return MeasuredFile.CACHE.beside(model);
    }

    /**
     * The strategy, with the numbers that it asks for.
     *
     * @param model the folder or file
     * @throws PlanException if there are none; the message says how they are made
     * @throws ModelException if their file is damaged or that of another model
     */
    public static Strategy applied(Strategy strategy, Path model, DenoiserGraph denoiser) {
        return strategy.calibrated(cache -> {
            Rounds.Calibrated asked = (Rounds.Calibrated) cache.rounds();
            Path file = asked.file().map(Path::of).orElseGet(() -> beside(model));
            if (!Files.exists(file)) {
                throw new PlanException("plan " + cache.spec() + " needs what is measured once for a model, and there "
                    + "is no " + file + "; slipstream calibrate " + model
                    + (cache.depth() == 0 ? "" : " --depth " + cache.depth()) + " makes it");
            }
            return asked.with(read(file).requireFits(file, cache, denoiser).ratios());
        });
    }

    private Calibration requireFits(Path file, Cache cache, DenoiserGraph wanted) {
        MeasuredFile.CACHE.requireFits(file, model, denoiser, wanted);
        if (depth != cache.depth()) {
            throw new PlanException(file + " was measured for depth=" + depth + ", not for depth=" + cache.depth()
                + "; say depth=" + depth + ", or measure again with slipstream calibrate --depth " + cache.depth());
        }
        return this;
    }

    /** @throws ModelException naming what is wrong in the file */
    static Calibration read(Path file) {
        ConfigFile config = MeasuredFile.CACHE.read(file);
        List<JsonElement> ratios = config.list("ratios");
        if (ratios.isEmpty()) {
            throw config.wrong("ratios", "has no numbers; " + MeasuredFile.CACHE.again());
        }
        return new Calibration(config.text("model").orElse("another model"), config.text("denoiser").orElse(""),
            (int) config.number("depth", 0), config.text("scheduler").orElse(""), (int) config.number("prompts", 0),
            ratios.stream().map(ratio -> positive(config, ratio)).toList());
    }

    private static double positive(ConfigFile config, JsonElement element) {
        double ratio = config.number("ratios", element);
        if (!(ratio > 0 && ratio < Double.POSITIVE_INFINITY)) {
            throw config.wrong("ratios", "has " + ratio + ", and all are more than 0; " + MeasuredFile.CACHE.again());
        }
        return ratio;
    }

    /** Writes it whole or not at all. @throws IOException in one sentence */
    public void write(Path file) throws IOException {
        JsonObject json = MeasuredFile.CACHE.head(model, denoiser);
        json.addProperty("depth", depth);
        json.addProperty("steps", ratios.size());
        json.addProperty("scheduler", scheduler);
        json.addProperty("prompts", prompts);
        JsonArray numbers = new JsonArray();
        ratios.forEach(numbers::add);
        json.add("ratios", numbers);
        MeasuredFile.write(file, json);
    }
}
