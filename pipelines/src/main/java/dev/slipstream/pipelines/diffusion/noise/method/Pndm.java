package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.NoiseSchedulerException;
import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.TimestepSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * PNDM, the default of Stable Diffusion 1: DDIM's step with a combination of the last four predictions. It starts in
 * one of two ways: PLMS visits the second timestep twice, so that there is one step more than was asked for; with the
 * Runge-Kutta start each of the first three steps asks the denoiser four times.
 *
 * <p>diffusers lets the list of visits begin late for image to image, and takes what comes first for the beginning:
 * PLMS then goes twice from the first timestep and leaves the second out.
 *
 * @param last the level at the end of the path
 * @param rungeKutta whether the first three steps are Runge-Kutta's
 * @param restarts whether a late beginning visits timesteps as an early one does, instead of as in diffusers
 * @see <a href="https://arxiv.org/abs/2202.09778">Liu et al. (2022), equations 9, 12 and 13</a>
 */
public record Pndm(TrainingSchedule training, CleanEstimate estimate, TimestepSpacing spacing, int offset, Mix last,
                   boolean rungeKutta, boolean restarts) implements Sampler {
    private static final int RUNGE_KUTTA_ROWS = 12;
    private static final int STAGES = 4;

    public static Pndm read(SchedulerOptions options) {
        TrainingSchedule training = TrainingSchedule.read(options);
        return new Pndm(training, CleanEstimate.read(options),
            TimestepSpacing.read(options, "leading"), options.integer("steps_offset", 0),
            training.finalLevel(options.flag("set_alpha_to_one", false)), !options.flag("skip_prk_steps", false),
            false);
    }

    public static Pndm readRestarting(SchedulerOptions options) {
        Pndm read = read(options);
        return new Pndm(read.training, read.estimate, read.spacing, read.offset, read.last, read.rungeKutta, true);
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = restarts ? "pndm-restart" : "pndm";
        int[] spaced = spacing.wholeTimesteps(training.timesteps(), steps, restarts ? first : 0, offset);
        if (rungeKutta && spaced.length < STAGES) {
            throw new NoiseSchedulerException(name + " with its Runge-Kutta start (skip_prk_steps is false) takes at "
                + "least " + STAGES + " steps, not " + spaced.length);
        }
        int stride = training.timesteps() / steps;
        int[] all = rungeKutta ? rungeKuttaVisits(spaced, stride) : visits(spaced);
        int[] visits = restarts ? all : IntStream.of(all).skip(first).toArray();
        return estimate.table(name, 1, new Walk(all, visits, stride).rows());
    }

    private static int[] visits(int[] spaced) {
        return IntStream.range(0, spaced.length + (spaced.length > 1 ? 1 : 0))
            .map(index -> spaced[index < 2 ? index : index - 1]).toArray();
    }

    /** Each step's beginning, its middle twice, and its end, which is where the next begins. */
    private static int[] rungeKuttaVisits(int[] spaced, int stride) {
        List<Integer> visits = new ArrayList<>();
        for (int step = 0; step < STAGES - 1; step++) {
            int middle = spaced[step + 1] + stride / 2;
            visits.addAll(List.of(spaced[step], middle, middle, spaced[step + 1]));
        }
        IntStream.range(STAGES - 1, spaced.length).forEach(index -> visits.add(spaced[index]));
        return visits.stream().mapToInt(Integer::intValue).toArray();
    }

    /** From visit to visit, counted as in diffusers, which does not know where in the list it begins. */
    private final class Walk {
        private final int[] starts;
        private final int[] visits;
        private final int stride;
        private final List<Integer> kept = new ArrayList<>();
        private final List<Row> rows = new ArrayList<>();
        /** The step of the row before, from where its predictions were combined. */
        private LinearForm before = LinearForm.ZERO;

        /** @param starts all visits, the first of which say where Runge-Kutta steps start */
        Walk(int[] starts, int[] visits, int stride) {
            this.starts = starts;
            this.visits = visits;
            this.stride = stride;
        }

        List<Row> rows() {
            for (int index = 0; index < visits.length; index++) {
                boolean starting = rungeKutta && index < RUNGE_KUTTA_ROWS;
                Row row = starting ? stage(index) : multistep(index);
                boolean again = restarts && (starting ? index % STAGES != 0 : index == 1 && !rungeKutta);
                rows.add(again ? row.continued() : row);
            }
            return rows;
        }

        private Row stage(int index) {
            int stage = index % STAGES;
            LinearForm step = step(starts[index - stage], visits[index] - (stage % 2 == 0 ? stride / 2 : 0));
            LinearForm combined = LinearForm.PREDICTION;
            if (stage == 0) {
                kept.add(index);
            } else if (stage == STAGES - 1) {
                combined = LinearForm.past(3).plus(LinearForm.past(2).plus(LinearForm.past(1)).times(2))
                    .plus(LinearForm.PREDICTION).times(1.0 / 6);
            }
            return row(index, stage == 0 ? LinearForm.LATENT : begin(), step, combined);
        }

        private Row multistep(int index) {
            if (index == 1 && !rungeKutta) {
                // The first step once more, with the mean of the predictions at both of its ends.
                LinearForm again = step(visits[1] + stride, visits[1]);
                return row(index, begin(), again, LinearForm.PREDICTION.plus(LinearForm.past(1)).times(0.5));
            }
            kept.add(index);
            double[] weights = switch (Math.min(kept.size(), STAGES)) {
                case 1 -> new double[] {1};
                case 2 -> new double[] {3.0 / 2, -1.0 / 2};
                case 3 -> new double[] {23.0 / 12, -16.0 / 12, 5.0 / 12};
                default -> new double[] {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24};
            };
            LinearForm combined = LinearForm.PREDICTION.times(weights[0]);
            for (int back = 1; back < weights.length; back++) {
                int distance = index - kept.get(kept.size() - 1 - back);
                combined = combined.plus(LinearForm.past(distance).times(weights[back]));
            }
            return row(index, LinearForm.LATENT, step(visits[index], visits[index] - stride), combined);
        }

        /** Where the row before began, which has led from there to the present latents with one prediction. */
        private LinearForm begin() {
            return LinearForm.LATENT.minus(LinearForm.past(1).times(before.prediction())).times(1 / before.latent());
        }

        private Row row(int index, LinearForm begin, LinearForm step, LinearForm combined) {
            before = step;
            LinearForm next = begin.times(step.latent()).plus(combined.times(step.prediction()));
            return estimate.row(visits[index], 1, training.level(visits[index]), next, LinearForm.PREDICTION);
        }

        private LinearForm step(int from, int to) {
            return estimate.transfer(training.level(from), to < 0 ? last : training.level(to));
        }
    }
}
