package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.bridge.Limit;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.List;
import java.util.Optional;

/**
 * What a step makes of the denoiser's prediction, and with it the rows of a table.
 *
 * @param limit what keeps the clean image within bounds
 */
record CleanEstimate(Prediction prediction, Optional<Limit> limit) {
    /** Without a limit. */
    CleanEstimate(Prediction prediction) {
        this(prediction, Optional.empty());
    }

    /** As the methods have it that know {@code thresholding} only. */
    static CleanEstimate thresholded(SchedulerOptions options, Prediction prediction) {
        return new CleanEstimate(prediction, threshold(options));
    }

    /** As the methods have it that know {@code clip_sample} only. */
    static CleanEstimate clipped(SchedulerOptions options, Prediction prediction) {
        return new CleanEstimate(prediction, clip(options, false));
    }

    /** As the methods have it that know both, of which {@code thresholding} comes first. */
    static CleanEstimate limited(SchedulerOptions options, Prediction prediction, boolean clippedByDefault) {
        if (!options.flag("predict_epsilon", true)) {
            throw options.error(
                "predict_epsilon is an option of old versions; set prediction_type to 'sample' instead");
        }
        return new CleanEstimate(prediction, threshold(options).or(() -> clip(options, clippedByDefault)));
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

    /** The clean image that a step goes by. */
    Terms clean(NoiseLevel level) {
        return limit.isPresent() ? Terms.CLEAN : prediction.clean(level);
    }

    /** The noise that belongs to that clean image. */
    Terms noise(NoiseLevel level) {
        return limit.isPresent() ? Terms.LATENT.minus(Terms.CLEAN.times(level.alpha())).times(1 / level.sigma())
            : prediction.noise(level);
    }

    /** The step to another level with this image and, as diffusers has it, the noise of the image without its limit. */
    Terms transfer(NoiseLevel from, NoiseLevel to) {
        return clean(from).times(to.alpha()).plus(prediction.noise(from).times(to.sigma()));
    }

    /** @param shown the clean image that the step expects, in the scale of the last latents */
    Row row(double timestep, double inputScale, NoiseLevel level, Terms next, Terms remembered, Terms shown) {
        Row row = new Row(timestep, inputScale, next.next(), remembered.linear(), shown.linear(), level.mix());
        return limit.isPresent() ? row.withClean(prediction.clean(level).linear()) : row;
    }

    Row row(double timestep, double inputScale, NoiseLevel level, Terms next, Terms remembered) {
        return row(timestep, inputScale, level, next, remembered, clean(level));
    }

    /** A row of the k-diffusion methods, at the beginning of a step. */
    Row row(SigmaPath path, int step, Terms next, Terms remembered) {
        return row(path.timestep(step), path.inputScale(step), path.level(step), next, remembered);
    }

    /** Euler's step, with which methods of second order end. */
    Row euler(SigmaPath path, int step) {
        return row(path, step, transfer(path.level(step), path.level(step + 1)), Terms.ZERO);
    }

    NoiseTable table(String name, double initialScale, List<Row> rows) {
        return new NoiseTable(name, initialScale, rows, limit);
    }
}
