package dev.slipstream.samples.verify;

import dev.slipstream.bridge.Arithmetic.Limit;
import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A noise scheduler, and what a reference implementation gives for it.
 *
 * @param config the text of a {@code scheduler_config.json}
 * @param className the class that ran, which may be another than the file's
 * @param begin how many rows of the whole table are left out
 * @param tokens how many image tokens the denoiser sees, where the noise levels depend on it
 * @param timesteps those of the whole table
 * @param initialScale empty where it is not known
 * @param latents after every step that is taken, or after the last alone
 * @param tolerance of a difference, as a part of the largest latent of the step
 */
record ScheduleCase(String name, String config, String className, int steps, int begin, OptionalInt tokens,
    double[] timesteps, OptionalDouble initialScale, List<double[]> latents, double tolerance) {
    /** The number of latents. */
    static final int ELEMENTS = 8;
    private static final double TIMESTEP_TOLERANCE = 0.02;

    /**
     * What came out.
     *
     * @param difference the largest, as a part of the largest latent of its step; NaN if there are no numbers
     * @param reason why it is refused, or what else differs
     */
    record Result(String name, boolean agrees, double difference, Optional<String> reason) {
        static Result refused(String name, String reason) {
            return new Result(name, false, Double.NaN, Optional.of(reason));
        }
    }

    Result run() {
        try {
            NoiseScheduler scheduler = NoiseScheduler.parseForClass(config, name, className);
            NoiseScheduler sized = tokens.isPresent() ? scheduler.forImageTokens(tokens.getAsInt()) : scheduler;
            NoiseTable whole = sized.table(steps);
            return otherTimestep(whole).map(reason -> Result.refused(name, reason))
                .orElseGet(() -> compare(begin == 0 ? whole : begun(sized, whole)));
        } catch (NoiseSchedulerException e) {
            return Result.refused(name, e.getMessage());
        }
    }

    private Optional<String> otherTimestep(NoiseTable table) {
        if (table.steps() != timesteps.length) {
            return Optional.of("there are " + table.steps() + " timesteps, not " + timesteps.length);
        }
        for (int row = 0; row < timesteps.length; row++) {
            double here = table.rows().get(row).timestep();
            if (!(Math.abs(here - timesteps[row]) <= TIMESTEP_TOLERANCE)) {
                return Optional.of(String.format(Locale.ROOT, "timestep %d is %s, not %s", row + 1, here,
                    timesteps[row]));
            }
        }
        double scale = initialScale.orElse(table.initialScale());
        if (!(Math.abs(scale - table.initialScale()) <= tolerance * Math.abs(scale))) {
            return Optional.of("the initial scale is " + table.initialScale() + ", not " + scale);
        }
        return Optional.empty();
    }

    private NoiseTable begun(NoiseScheduler scheduler, NoiseTable whole) {
        if (whole.rows().get(begin).continues()) {
            throw new NoiseSchedulerException(name + ": row " + begin + " lies inside a step, where no loop can begin");
        }
        long first = whole.rows().subList(0, begin).stream().filter(row -> !row.continues()).count();
        return scheduler.table(steps, (int) first);
    }

    private Result compare(NoiseTable table) {
        List<double[]> actual = new ToyLoop(table, begin).run();
        int compared = latents.size();
        if (actual.size() < compared) {
            return Result.refused(name, "there are " + actual.size() + " steps, not " + compared);
        }
        double largest = 0;
        for (int step = 0; step < compared; step++) {
            double difference = difference(latents.get(step), actual.get(actual.size() - compared + step));
            if (!(difference <= largest)) {
                largest = difference;
            }
            if (Double.isNaN(difference)) {
                break;
            }
        }
        return new Result(name, largest <= tolerance, largest, Optional.empty());
    }

    private static double difference(double[] expected, double[] actual) {
        double largest = 0;
        double size = 0;
        for (int i = 0; i < ELEMENTS; i++) {
            size = Math.max(size, Math.abs(expected[i]));
            double difference = Math.abs(expected[i] - actual[i]);
            largest = difference <= largest ? largest : difference;
        }
        return size == 0 ? largest : largest / size;
    }

    /**
     * Follows a noise table with eight numbers, in double precision. In step k the denoiser gives {@code sin(0.7·y +
     * 0.3·k)} where {@code y} is what it is fed; noise number j has the elements {@code √2·sin(1.7·j + 0.9·i +
     * 0.3)}.
     *
     * @param begin the number k of the first step; where it is more than 0, the latents begin with a picture
     */
    private record ToyLoop(NoiseTable table, int begin) {
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
                // A step without noise draws none, so the number of the noise is not that of the step.
                noise.add(row.next().noise() == 0 ? new double[ELEMENTS] : noise(drawn++));
                double[] next = of(row.next(), x, p, clean);
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

        private static double[] of(LinearForm form, double[] x, double[] p, double[] clean) {
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
}
