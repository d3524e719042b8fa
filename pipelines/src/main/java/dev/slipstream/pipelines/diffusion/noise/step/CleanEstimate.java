package dev.slipstream.pipelines.diffusion.noise.step;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.List;
import java.util.Optional;

/**
 * What a step makes of the denoiser's prediction, and with it the rows of a table.
 *
 * @param limit what keeps the clean image within bounds
 */
public record CleanEstimate(Prediction prediction, Optional<Limit> limit) {
    /** Without a limit. */
    public CleanEstimate(Prediction prediction) {
        this(prediction, Optional.empty());
    }

    /** As the methods have it that know no limit. */
    public static CleanEstimate read(SchedulerOptions options) {
        return new CleanEstimate(Prediction.read(options));
    }

    /** As the methods have it that know {@code thresholding} only. */
    public static CleanEstimate thresholded(SchedulerOptions options, Prediction prediction) {
        return new CleanEstimate(prediction, threshold(options));
    }

    /** As the methods have it that know {@code clip_sample} only. */
    public static CleanEstimate clipped(SchedulerOptions options) {
        return new CleanEstimate(Prediction.read(options), clip(options, false));
    }

    /** As the methods have it that know both, of which {@code thresholding} comes first. */
    public static CleanEstimate limited(SchedulerOptions options, boolean clippedByDefault) {
        if (!options.flag("predict_epsilon", true)) {
            throw options.error(
                "predict_epsilon is an option of old versions; set prediction_type to 'sample' instead");
        }
        return new CleanEstimate(Prediction.read(options),
            threshold(options).or(() -> clip(options, clippedByDefault)));
    }

    private static Optional<Limit> threshold(SchedulerOptions options) {
        if (!options.flag("thresholding", false)) {
            return Optional.empty();
        }
        double ratio = options.number("dynamic_thresholding_ratio", 0.995);
        if (!(ratio >= 0 && ratio <= 1)) {
            throw options.error("dynamic_thresholding_ratio is " + ratio + ", but must be 0 to 1");
        }
        return Optional.of(new Limit.DynamicThreshold((float) ratio, bound(options, "sample_max_value")));
    }

    private static Optional<Limit> clip(SchedulerOptions options, boolean byDefault) {
        return options.flag("clip_sample", byDefault)
            ? Optional.of(new Limit.Clamp(bound(options, "clip_sample_range"))) : Optional.empty();
    }

    private static float bound(SchedulerOptions options, String name) {
        float bound = (float) options.positiveNumber(name, 1);
        if (!(bound > 0 && Float.isFinite(bound))) {
            throw options.error(name + " is out of the range of fp32");
        }
        return bound;
    }

    /** The level of a timestep; refused where nothing of the image is left and the noise is predicted. */
    public Mix level(TrainingSchedule training, int timestep, String method) {
        return prediction == Prediction.Type.EPSILON ? training.levelWithSignal(timestep, method)
            : training.level(timestep);
    }

    /** The clean image that a step goes by. */
    public LinearForm clean(Mix level) {
        return limit.isPresent() ? LinearForm.CLEAN : prediction.clean(level);
    }

    /** The noise that belongs to that clean image. */
    public LinearForm noise(Mix level) {
        return limit.isPresent()
            ? LinearForm.LATENT.minus(LinearForm.CLEAN.times(level.image())).times(1 / level.noise())
            : prediction.noise(level);
    }

    /** The step to another level with this image and, as diffusers has it, the noise of the image without its limit. */
    public LinearForm transfer(Mix from, Mix to) {
        return clean(from).times(to.image()).plus(prediction.noise(from).times(to.noise()));
    }

    /** @param shown the clean image that the step expects, in the scale of the last latents */
    public Row row(double timestep, double inputScale, Mix level, LinearForm next, LinearForm remembered,
                   LinearForm shown) {
        Row row = new Row(timestep, inputScale, next, remembered, shown, level);
        return limit.isPresent() ? row.withClean(prediction.clean(level)) : row;
    }

    public Row row(double timestep, double inputScale, Mix level, LinearForm next, LinearForm remembered) {
        return row(timestep, inputScale, level, next, remembered, clean(level));
    }

    /** A row of the k-diffusion methods, at the beginning of a step. */
    public Row row(SigmaPath path, int step, LinearForm next, LinearForm remembered) {
        return row(path.timestep(step), path.inputScale(step), path.level(step), next, remembered);
    }

    /** Euler's step, with which methods of second order end. */
    public Row euler(SigmaPath path, int step) {
        return row(path, step, transfer(path.level(step), path.level(step + 1)), LinearForm.ZERO);
    }

    public NoiseTable table(String name, double initialScale, List<Row> rows) {
        return new NoiseTable(name, initialScale, rows, limit);
    }
}
