package dev.slipstream.samples.verify;

import dev.slipstream.bridge.Limit;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Mix;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Follows a noise table with eight numbers, in double precision. In step k the denoiser gives {@code sin(0.7·y +
 * 0.3·k)} where {@code y} is what it is fed; noise number j has the elements {@code √2·sin(1.7·j + 0.9·i + 0.3)}.
 *
 * @param begin the number k of the first step; where it is more than 0, the latents begin with a picture
 */
record ToyLoop(NoiseTable table, int begin) {
    private static final int ELEMENTS = ScheduleCase.ELEMENTS;

    /** The latents after every step. */
    List<double[]> run() {
        List<double[]> after = new ArrayList<>();
        List<double[]> remembered = new ArrayList<>();
        List<double[]> noise = new ArrayList<>();
        double[] latents = start();
        int drawn = 0;
        for (int step = 0; step < table.steps(); step++) {
            Row row = table.rows().get(step);
            double[] x = latents;
            double time = 0.3 * (begin + step);
            double[] p = each(i -> Math.sin(0.7 * row.inputScale() * x[i] + time));
            double[] clean = limited(of(row.clean(), x, p, new double[ELEMENTS]));
            // Who draws noise for a step counts it; steps without noise draw none.
            noise.add(row.next().noise() == 0 ? new double[ELEMENTS] : noise(drawn++));
            double[] next = of(new Linear(row.next().latent(), row.next().prediction(), row.next().clean()), x, p,
                clean);
            add(next, row.next().noise(), noise.get(step));
            for (int back = 0; back < row.next().past().size(); back++) {
                add(next, row.next().past().get(back), remembered.get(step - 1 - back));
            }
            for (int back = 0; back < row.next().pastNoise().size(); back++) {
                add(next, row.next().pastNoise().get(back), noise.get(step - 1 - back));
            }
            remembered.add(of(row.history(), x, p, clean));
            after.add(next);
            latents = next;
        }
        return after;
    }

    private double[] start() {
        if (begin == 0) {
            return each(i -> table.initialScale() * (-1.75 + 0.5 * i));
        }
        Mix mix = table.start();
        return each(i -> mix.image() * (0.25 * i - 0.875) + mix.noise() * (0.5 * i - 1.75));
    }

    private static double[] noise(int number) {
        return each(i -> Math.sqrt(2) * Math.sin(1.7 * number + 0.9 * i + 0.3));
    }

    private static double[] of(Linear form, double[] x, double[] p, double[] clean) {
        return each(i -> form.latent() * x[i] + form.prediction() * p[i] + form.clean() * clean[i]);
    }

    private double[] limited(double[] clean) {
        return switch (table.limit().orElse(null)) {
            case null -> clean;
            case Limit.Clamp clamp -> each(i -> Math.clamp(clean[i], -clamp.range(), clamp.range()));
            case Limit.DynamicThreshold threshold -> {
                double[] sizes = Arrays.stream(clean).map(Math::abs).sorted().toArray();
                double rank = threshold.rank(ELEMENTS);
                int below = Math.min((int) rank, ELEMENTS - 2);
                double quantile = sizes[below] + (rank - below) * (sizes[below + 1] - sizes[below]);
                double bound = Math.min(Math.max(quantile, 1), threshold.largest());
                yield each(i -> Math.clamp(clean[i], -bound, bound) / bound);
            }
        };
    }

    private static void add(double[] sum, double weight, double[] term) {
        Arrays.setAll(sum, i -> weight == 0 ? sum[i] : sum[i] + weight * term[i]);
    }

    private static double[] each(IntToDoubleFunction element) {
        return IntStream.range(0, ELEMENTS).mapToDouble(element).toArray();
    }
}
