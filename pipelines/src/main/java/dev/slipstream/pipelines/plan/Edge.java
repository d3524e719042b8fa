package dev.slipstream.pipelines.plan;

import java.util.ArrayList;
import java.util.List;

/**
 * A tensor that goes from one stage to another.
 *
 * @param from index into {@link Plan#stages}
 * @param to index into {@link Plan#stages}
 * @param slip how many rounds of its writer the value is behind in the asynchronous window; 0 outside it. Where the
 *     writer does not run, its last value is read: one that runs less often lags by that alone
 * @param form what is read at steps of the window for which the writer made nothing
 */
public record Edge(String tensor, int from, int to, int slip, Form form) {
    /** An edge that brings the last value as it is. */
    public Edge(String tensor, int from, int to, int slip) {
        this(tensor, from, to, slip, Form.LAST);
    }

    /** What stands for a value that was not made: always a linear combination of values that were, in float32. */
    public sealed interface Form {
        /** The last value. */
        Form LAST = new Last();

        /** The last value (DeepCache). */
        record Last() implements Form {
            @Override
            public String toString() {
                return "replace";
            }
        }

        /**
         * The last value too; but where it was made for both guidance branches and is read for one alone, the mean of
         * the two (Zhang et al., "T-GATE", 2024), which keeps some of the text's effect where guidance has ended.
         */
        record Mean() implements Form {
            @Override
            public String toString() {
                return "mean";
            }
        }

        /**
         * What enters the writer now, and what the writer added to what entered it then (MagCache, first-block cache).
         *
         * @param base the tensor that enters, which the writer reads
         */
        record Residual(String base) implements Form {
            @Override
            public String toString() {
                return "residual";
            }
        }

        /**
         * The value of the step before, and its change from the one before that (Lv et al., "FasterCache", ICLR 2025).
         * Each of them was made, or is itself continued in this way: what was put in its place counts as made. At the
         * second step there is no change yet.
         *
         * @param weight of the change
         */
        record Extrapolated(double weight) implements Form {
            @Override
            public String toString() {
                return "extrapolate";
            }
        }

        /**
         * The last values continued by their differences, as a Taylor series is by derivatives (Liu et al., "From
         * Reusing to Forecasting: Accelerating Diffusion Models with TaylorSeers", 2025).
         *
         * @param order of the highest difference, at least 1
         */
        record Forecast(int order) implements Form {
            @Override
            public String toString() {
                return "forecast";
            }

            /**
             * The weights of the values made at these times; with one value alone, it is taken as it is.
             *
             * @param times the latest first; there are one more than the order
             * @param wanted when the value would have been made
             */
            public static List<Double> weights(List<Integer> times, int wanted) {
                double[] weights = new double[times.size()];
                double power = 1;
                for (int order = 0; order < times.size(); order++) {
                    double[] difference = difference(times, order, 0);
                    for (int index = 0; index < weights.length; index++) {
                        weights[index] += power * difference[index];
                    }
                    power *= (wanted - times.getFirst()) / (order + 1.0);
                }
                List<Double> list = new ArrayList<>();
                for (double weight : weights) {
                    list.add(weight);
                }
                return list;
            }

            /** A difference of the values up to a time, as weights of these. */
            private static double[] difference(List<Integer> times, int order, int index) {
                double[] weights = new double[times.size()];
                if (order == 0) {
                    weights[index] = 1;
                    return weights;
                }
                double[] now = difference(times, order - 1, index);
                double[] before = difference(times, order - 1, index + 1);
                int since = times.get(index) - times.get(index + 1);
                for (int i = 0; i < weights.length; i++) {
                    weights[i] = (now[i] - before[i]) / since;
                }
                return weights;
            }
        }
    }
}
