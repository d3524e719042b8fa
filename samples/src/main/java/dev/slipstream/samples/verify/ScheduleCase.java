package dev.slipstream.samples.verify;

import dev.slipstream.pipelines.diffusion.noise.NoiseScheduler;
import dev.slipstream.pipelines.diffusion.noise.NoiseSchedulerException;
import dev.slipstream.pipelines.run.NoiseTable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * A noise scheduler, and what a reference implementation makes of it.
 *
 * @param config the text of a {@code scheduler_config.json}
 * @param className the class that ran, which may be another than the file's
 * @param begin how many rows of the whole table are left out
 * @param tokens how many image tokens the denoiser sees, where the noise levels depend on it
 * @param timesteps those of the whole table
 * @param initialScale where it is known
 * @param latents after every step that is taken, or after the last alone
 * @param tolerance of a difference, as a part of the largest latent of the step
 */
record ScheduleCase(String name, String config, String className, int steps, int begin, OptionalInt tokens,
    double[] timesteps, OptionalDouble initialScale, List<double[]> latents, double tolerance) {
    /** How many latents there are. */
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
}
