package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/** Follows a noise table with a picture of a few values, as a program does with many. */
final class Walk {
    /** What the denoiser would say in a step, value by value. */
    interface Denoiser {
        double predict(int step, Row row, double latent);
    }

    private Walk() {
    }

    /** The latents before the first and after every step, of a picture of one value. @param noise of each step */
    static List<Double> follow(NoiseTable table, double first, Denoiser denoiser, double... noise) {
        double[][] pictures = Arrays.stream(noise).mapToObj(value -> new double[] {value}).toArray(double[][]::new);
        return follow(table, new double[] {first}, denoiser, pictures).stream().map(picture -> picture[0]).toList();
    }

    /** The latents before the first and after every step. @param noise of each step */
    static List<double[]> follow(NoiseTable table, double[] first, Denoiser denoiser, double[][] noise) {
        List<double[]> latents = new ArrayList<>(List.of(first));
        List<double[]> history = new ArrayList<>();
        for (int step = 0; step < table.steps(); step++) {
            Row row = table.rows().get(step);
            int now = step;
            double[] x = latents.get(step);
            double[] p = each(x, i -> denoiser.predict(now, row, x[i]));
            double[] clean = limited(table, each(x, i -> value(row.clean(), x[i], p[i], 0)));
            LinearForm form = row.next();
            latents.add(each(x, i -> {
                double next = value(form, x[i], p[i], clean[i]);
                for (int k = 0; k < form.past().size(); k++) {
                    next += form.past().get(k) * history.get(now - 1 - k)[i];
                }
                next += form.noise() == 0 ? 0 : form.noise() * noise[now][i];
                for (int k = 0; k < form.pastNoise().size(); k++) {
                    next += form.pastNoise().get(k) * noise[now - 1 - k][i];
                }
                return next;
            }));
            history.add(each(x, i -> value(row.history(), x[i], p[i], clean[i])));
        }
        return latents;
    }

    private static double value(LinearForm form, double latent, double prediction, double clean) {
        return form.latent() * latent + form.prediction() * prediction + form.clean() * clean;
    }

    private static double[] limited(NoiseTable table, double[] clean) {
        return switch (table.limit().orElse(null)) {
            case null -> clean;
            case Limit.Clamp clamp -> each(clean, i -> Math.clamp(clean[i], -clamp.range(), clamp.range()));
            case Limit.DynamicThreshold threshold -> {
                double[] sizes = Arrays.stream(clean).map(Math::abs).sorted().toArray();
                double rank = threshold.rank(sizes.length);
                int below = (int) rank;
                double above = sizes[Math.min(below + 1, sizes.length - 1)];
                double quantile = sizes[below] + (rank - below) * (above - sizes[below]);
                double bound = Math.min(Math.max(quantile, 1), threshold.largest());
                yield each(clean, i -> Math.clamp(clean[i], -bound, bound) / bound);
            }
        };
    }

    private static double[] each(double[] like, IntToDoubleFunction value) {
        return IntStream.range(0, like.length).mapToDouble(value).toArray();
    }
}
