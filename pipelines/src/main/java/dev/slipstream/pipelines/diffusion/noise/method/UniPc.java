package dev.slipstream.pipelines.diffusion.noise.method;

import dev.slipstream.pipelines.diffusion.noise.config.SchedulerOptions;
import dev.slipstream.pipelines.diffusion.noise.schedule.FlowShift;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaPath;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSchedule;
import dev.slipstream.pipelines.diffusion.noise.schedule.SigmaSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.SolverSpacing;
import dev.slipstream.pipelines.diffusion.noise.schedule.TrainingSchedule;
import dev.slipstream.pipelines.diffusion.noise.step.CleanEstimate;
import dev.slipstream.pipelines.diffusion.noise.step.DpmOrder;
import dev.slipstream.pipelines.diffusion.noise.step.Prediction;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.NoiseTable.Mix;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * UniPC, multistep, of order 1 to 3: each step predicts, and the next one first corrects what was predicted with what
 * the model says there. As both are linear, a row does both: its latents are the predicted ones.
 *
 * @param most the order in the middle of the path
 * @param predictsImage whether the model's output is taken as the clean image, not as the noise
 * @param plain whether B(h) is h itself (bh1), not exp(h) − 1 (bh2)
 * @param uncorrected the steps after which nothing is corrected
 * @see <a href="https://arxiv.org/abs/2302.04867">Zhao et al. (2023), algorithms 5 to 8</a>
 */
public record UniPc(SolverSpacing spacing, CleanEstimate estimate, int most, boolean predictsImage, boolean plain,
                    boolean lowAtEnd, Set<Integer> uncorrected) implements Sampler {
    public static UniPc read(SchedulerOptions options) {
        if (!options.isAbsent("solver_p")) {
            throw options.error("solver_p names a predictor of its own, which is not supported; remove it");
        }
        String type = options.choice("solver_type", "bh2", "bh1", "bh2", "midpoint", "heun", "logrho");
        SigmaSchedule sigmas = TrainingSchedule.readRescaled(options).sigmas();
        Prediction prediction = Prediction.readWithFlow(options);
        boolean predictsImage = options.flag("predict_x0", true);
        return new UniPc(SolverSpacing.read(options, sigmas, SigmaSpacing.Kind.SOLVER, true)
            .startingAtNoise(FlowShift.terminal(options)),
            predictsImage ? CleanEstimate.thresholded(options, prediction) : new CleanEstimate(prediction),
            DpmOrder.most(options), predictsImage, type.equals("bh1"), options.flag("lower_order_final", true),
            options.numbers("disable_corrector").stream().map(Double::intValue).collect(Collectors.toSet()));
    }

    @Override
    public int trainedTimesteps() {
        return spacing.trainedTimesteps();
    }

    @Override
    public NoiseTable table(int steps, int first) {
        String name = spacing.name("unipc");
        SigmaPath path = spacing.path(steps).requireDescending(name);
        List<Row> rows = path.from(first).mapToObj(step -> {
            LinearForm output = predictsImage ? estimate.clean(path.level(step)) : estimate.noise(path.level(step));
            LinearForm corrected = LinearForm.LATENT;
            if (step > first && !uncorrected.contains(step - 1)) {
                Step before = new Step(path, step - 1, order(step - 1, first, steps));
                corrected = corrected.plus(before.correction(output));
            }
            Step now = new Step(path, step, order(step, first, steps));
            return estimate.row(path.timestep(step), 1, path.level(step), now.predicted(corrected, output), output);
        }).toList();
        return estimate.table(name, 1, rows);
    }

    private int order(int step, int first, int steps) {
        return Math.min(step - first + 1, lowAtEnd ? Math.min(most, steps - step) : most);
    }

    /** A step over a length h in log(alpha/sigma), with what its order takes of the steps before it. */
    private final class Step {
        private final Mix from;
        private final Mix to;
        private final int order;
        /** With the sign that it has in the exponent. */
        private final double length;
        /** Where the earlier steps lie, in lengths of this one; the end of this step is the last. */
        private final double[] nodes;
        /** Right sides of the order conditions. */
        private final double[] moments;

        Step(SigmaPath path, int step, int order) {
            this.from = path.level(step);
            this.to = path.level(step + 1);
            this.order = order;
            double h = Math.log(path.ratio(step) / path.ratio(step + 1));
            this.length = predictsImage ? -h : h;
            this.nodes = new double[order];
            for (int back = 1; back < order; back++) {
                nodes[back - 1] = Math.log(path.ratio(step) / path.ratio(step - back)) / h;
            }
            nodes[order - 1] = 1;
            this.moments = moments();
        }

        private double[] moments() {
            double[] all = new double[order];
            double phi = Math.expm1(length) / length - 1;
            double factorial = 1;
            for (int k = 0; k < order; k++) {
                all[k] = phi * factorial / scale();
                factorial *= k + 2;
                phi = phi / length - 1 / factorial;
            }
            return all;
        }

        /** B(h). */
        private double scale() {
            return plain ? length : Math.expm1(length);
        }

        private double outside() {
            return predictsImage ? to.image() : to.noise();
        }

        LinearForm predicted(LinearForm latents, LinearForm output) {
            double kept = predictsImage ? to.noise() / from.noise() : to.image() / from.image();
            LinearForm next = latents.times(kept).minus(output.times(outside() * Math.expm1(length)));
            return order == 1 ? next : next.plus(differences(predictorWeights(), output, 1));
        }

        /**
         * What the corrector changes in the end of this step, as seen from the next.
         *
         * @param output of the model there
         */
        LinearForm correction(LinearForm output) {
            double[] weights = order == 1 ? new double[] {0.5} : solve(order);
            LinearForm change = output.minus(LinearForm.past(1)).times(-outside() * scale() * weights[order - 1]);
            if (order == 1) {
                return change;
            }
            double[] predicted = predictorWeights();
            for (int k = 0; k < predicted.length; k++) {
                weights[k] -= predicted[k];
            }
            return change.plus(differences(weights, LinearForm.past(1), 2));
        }

        private double[] predictorWeights() {
            return order == 2 ? new double[] {0.5} : solve(order - 1);
        }

        /** The weighted slopes from this step to those before it. @param oldest what the step before is called */
        private LinearForm differences(double[] weights, LinearForm output, int oldest) {
            LinearForm sum = LinearForm.ZERO;
            for (int k = 0; k < order - 1; k++) {
                sum = sum.plus(LinearForm.past(oldest + k).minus(output).times(weights[k] / nodes[k]));
            }
            return sum.times(-outside() * scale());
        }

        /** Weights of the first nodes that fulfil as many order conditions: Vandermonde's matrix, by elimination. */
        private double[] solve(int size) {
            List<double[]> rows = new ArrayList<>();
            for (int power = 0; power < size; power++) {
                double[] row = new double[size + 1];
                for (int k = 0; k < size; k++) {
                    row[k] = Math.pow(nodes[k], power);
                }
                row[size] = moments[power];
                rows.add(row);
            }
            for (int pivot = 0; pivot < size; pivot++) {
                double[] by = rows.get(pivot);
                for (int other = 0; other < size; other++) {
                    double factor = other == pivot ? 0 : rows.get(other)[pivot] / by[pivot];
                    for (int k = pivot; k <= size; k++) {
                        rows.get(other)[k] -= factor * by[k];
                    }
                }
            }
            double[] solution = new double[size];
            for (int k = 0; k < size; k++) {
                solution[k] = rows.get(k)[size] / rows.get(k)[k];
            }
            return solution;
        }
    }
}
