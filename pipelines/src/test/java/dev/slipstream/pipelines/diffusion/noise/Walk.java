package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.bridge.Limit;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;

/** Follows a noise table with latents of one element, as a program does with many. */
final class Walk {
    /** What the denoiser and the noise would be in a step. */
    interface Denoiser {
        double predict(int step, Row row, double latent);
    }

    private Walk() {
    }

    /** The latents before the first and after every step. */
    static List<Double> follow(NoiseTable table, double first, Denoiser denoiser, double... noise) {
        List<Double> latents = new ArrayList<>(List.of(first));
        List<Double> history = new ArrayList<>();
        for (int step = 0; step < table.steps(); step++) {
            Row row = table.rows().get(step);
            double latent = latents.get(step);
            double prediction = denoiser.predict(step, row, latent);
            double free = value(row.clean(), latent, prediction, 0);
            double clean = table.limit().map(limit -> limited(limit, free)).orElse(free);
            double next = value(new Linear(row.next().latent(), row.next().prediction(), row.next().clean()), latent,
                prediction, clean);
            for (int k = 0; k < row.next().past().size(); k++) {
                next += row.next().past().get(k) * history.get(step - 1 - k);
            }
            if (row.next().noise() != 0) {
                next += row.next().noise() * noise[step];
            }
            for (int k = 0; k < row.next().pastNoise().size(); k++) {
                next += row.next().pastNoise().get(k) * noise[step - 1 - k];
            }
            latents.add(next);
            history.add(value(row.history(), latent, prediction, clean));
        }
        return latents;
    }

    private static double value(Linear form, double latent, double prediction, double clean) {
        return form.latent() * latent + form.prediction() * prediction + form.clean() * clean;
    }

    /** Of a picture of one value, which is its own quantile. */
    private static double limited(Limit limit, double value) {
        return switch (limit) {
            case Limit.Clamp clamp -> Math.clamp(value, -clamp.range(), clamp.range());
            case Limit.DynamicThreshold threshold -> {
                double bound = Math.min(Math.max(Math.abs(value), 1), threshold.largest());
                yield Math.clamp(value, -bound, bound) / bound;
            }
        };
    }
}
