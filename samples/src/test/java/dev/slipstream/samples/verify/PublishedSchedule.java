package dev.slipstream.samples.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The published schedule of AsyncDiff (arXiv 2406.06911) for two components, written down step by step without any of
 * the library's plans: what a device holds from the last round is a variable, and DDIM is its formula.
 */
final class PublishedSchedule {
    private static final int TRAINED = 1000;

    private final BiFunction<double[], Double, Object> first;
    private final BiFunction<Object, Double, double[]> second;
    private final int steps;

    /**
     * @param first C0: latents and timestep to what it hands on
     * @param second C1: that and its timestep to the guided prediction
     */
    PublishedSchedule(BiFunction<double[], Double, Object> first, BiFunction<Object, Double, double[]> second,
        int steps) {
        this.first = first;
        this.second = second;
        this.steps = steps;
    }

    double timestep(int step) {
        return (steps - 1 - step) * (TRAINED / steps) + 1;
    }

    List<double[]> strideOne(double[] start, int warmUp, boolean shift) {
        List<double[]> latents = new ArrayList<>();
        double[] x = start;
        Object carried = null;
        for (int i = 0; i < steps; i++) {
            double t = timestep(i >= warmUp && shift ? i - 1 : i);
            Object made = first.apply(x, t);
            double[] prediction = second.apply(i < warmUp ? made : carried, t);
            carried = made;
            x = ddim(x, prediction, i);
            latents.add(x);
        }
        return latents;
    }

    List<double[]> strideTwo(double[] start, int warmUp, boolean shift, boolean released) {
        List<double[]> latents = new ArrayList<>();
        double[] x = start;
        Object carried = null;
        double[] replayed = null;
        for (int i = 0; i < steps; i++) {
            double[] prediction;
            if (i < warmUp) {
                carried = first.apply(x, timestep(i));
                prediction = second.apply(carried, timestep(i));
                replayed = prediction;
            } else if (i % 2 == 1) {
                double own = timestep(shift ? i - 1 : i);
                double ahead = timestep(Math.min(i + 1, steps - 1) - (shift ? 1 : 0));
                prediction = second.apply(carried, own);
                replayed = released ? prediction : second.apply(carried, ahead);
                carried = first.apply(x, ahead);
            } else {
                prediction = replayed;
            }
            x = ddim(x, prediction, i);
            latents.add(x);
        }
        return latents;
    }

    /** Without noise; betas are scaled linear from 0.00085 to 0.012, the last step goes to the first of them. */
    private double[] ddim(double[] x, double[] prediction, int step) {
        int t = (int) timestep(step);
        double now = signal(t);
        double next = signal(Math.max(t - TRAINED / steps, 0));
        double[] result = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double clean = (x[i] - Math.sqrt(1 - now) * prediction[i]) / Math.sqrt(now);
            result[i] = Math.sqrt(next) * clean + Math.sqrt(1 - next) * prediction[i];
        }
        return result;
    }

    private static double signal(int timestep) {
        double product = 1;
        for (int i = 0; i <= timestep; i++) {
            double root = Math.sqrt(0.00085) + (Math.sqrt(0.012) - Math.sqrt(0.00085)) * i / (TRAINED - 1);
            product *= 1 - root * root;
        }
        return product;
    }
}
