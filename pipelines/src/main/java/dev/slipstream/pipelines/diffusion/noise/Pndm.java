package dev.slipstream.pipelines.diffusion.noise;

import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Next;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;

/**
 * PNDM without its Runge-Kutta start (PLMS), the default of Stable Diffusion 1: DDIM's step with a combination of the
 * last four predictions. The second timestep is visited twice, so a table has one row more than steps.
 *
 * @param last the level at the end of the path
 * @see <a href="https://arxiv.org/abs/2202.09778">Liu et al. (2022), equations 9 and 12</a>
 */
record Pndm(TrainingSchedule training, PredictionType prediction, TimestepSpacing spacing, int offset, NoiseLevel last)
        implements Sampler {
    static Pndm read(SchedulerOptions options) {
        if (!options.flag("skip_prk_steps", false)) {
            throw options.error("skip_prk_steps is false, but the Runge-Kutta start of PNDM is not supported; "
                + "set it to true or choose ddim, dpm++2m or euler");
        }
        TrainingSchedule training = TrainingSchedule.read(options);
        training.refuseZeroTerminalSnr("pndm");
        return new Pndm(training, PredictionType.read(options), TimestepSpacing.read(options, "leading"),
            options.integer("steps_offset", 0), training.finalLevel(options.flag("set_alpha_to_one", false)));
    }

    @Override
    public int trainedTimesteps() {
        return training.timesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        int stride = training.timesteps() / steps;
        int[] timesteps = spacing.wholeTimesteps(training.timesteps(), steps, first, offset);
        List<Row> rows = new ArrayList<>(timesteps.length + 1);
        Terms begin = step(timesteps[0], timesteps[0] - stride);
        rows.add(row(timesteps[0], begin.next()));
        if (timesteps.length > 1) {
            rows.add(row(timesteps[1], secondTry(begin, step(timesteps[1] + stride, timesteps[1]))));
        }
        for (int index = 1; index < timesteps.length; index++) {
            Terms step = step(timesteps[index], timesteps[index] - stride);
            rows.add(row(timesteps[index], multistep(step, index)));
        }
        return new NoiseTable("pndm", 1, rows);
    }

    private Row row(int timestep, Next next) {
        NoiseLevel level = training.level(timestep);
        return new Row(timestep, 1, next, new Linear(0, 1), prediction.clean(level).linear(), level.mix());
    }

    private Terms step(int from, int to) {
        return prediction.transfer(training.level(from), to < 0 ? last : training.level(to));
    }

    /**
     * The first step once more, with the mean of the predictions at both of its ends. It starts again from x(0), which
     * is {@code (x(1) − first.prediction·p(0)) / first.latent}.
     */
    private static Next secondTry(Terms first, Terms again) {
        double latent = again.latent() / first.latent();
        double past = again.prediction() / 2 - latent * first.prediction();
        return new Next(latent, again.prediction() / 2, List.of(past), 0);
    }

    /** Adams-Bashforth; the prediction of the second try is left out, hence the zeros. */
    private static Next multistep(Terms step, int index) {
        List<Double> weights = switch (index) {
            case 1 -> List.of(3.0 / 2, 0.0, -1.0 / 2);
            case 2 -> List.of(23.0 / 12, -16.0 / 12, 0.0, 5.0 / 12);
            case 3 -> List.of(55.0 / 24, -59.0 / 24, 37.0 / 24, 0.0, -9.0 / 24);
            default -> List.of(55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24);
        };
        List<Double> scaled = weights.stream().map(weight -> weight * step.prediction()).toList();
        return new Next(step.latent(), scaled.getFirst(), scaled.subList(1, scaled.size()), 0);
    }
}
