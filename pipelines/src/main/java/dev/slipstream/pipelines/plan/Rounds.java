package dev.slipstream.pipelines.plan;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * At which steps of the asynchronous window a stage runs; at the others its readers take what it made last. In
 * synchronous steps all stages run.
 */
public sealed interface Rounds {
    /** Every step. */
    Rounds ALL = new Every(1);

    /**
     * @param step from 0
     * @param steps of the whole loop
     */
    boolean includes(int step, int steps);

    /**
     * The steps of both.
     *
     * @throws PlanException if one is decided while the loop runs, and the other says something, too
     */
    default Rounds and(Rounds other) {
        if ((this instanceof Decided || other instanceof Decided) && !equals(other) && !equals(ALL)
            && !other.equals(ALL)) {
            throw new PlanException(this + " and " + other + " both say when a stage runs; leave one out");
        }
        return equals(ALL) || equals(other) ? other : other.equals(ALL) ? this : new Both(this, other);
    }

    /** The steps of either. */
    default Rounds or(Rounds other) {
        return equals(ALL) || equals(other) ? this : other.equals(ALL) ? other : new Either(this, other);
    }

    /**
     * Every so many steps.
     *
     * @param interval at least 1
     * @param first a step that is one of them; so are those before it at the same distances
     */
    record Every(int interval, int first) implements Rounds {
        public Every {
            if (interval < 1 || first < 0) {
                throw new PlanException("a stage runs every step or every so many from a step on, not every "
                    + interval + " from " + first);
            }
        }

        /** Counted from the first of the loop. */
        public Every(int interval) {
            this(interval, 0);
        }

        @Override
        public boolean includes(int step, int steps) {
            return Math.floorMod(step - first, interval) == 0;
        }

        @Override
        public String toString() {
            return "every=" + interval + (first == 0 ? "" : ",first=" + first);
        }
    }

    /**
     * Each step at which it is decided so while the loop runs. Until then it may run at any, and its readers take a
     * value of the same step whatever is decided: what it makes, or what its last value leads to expect.
     *
     * @param measured the tensor by whose change since the stage ran last it is decided, which another stage makes at
     *     each step
     * @param slip how many steps old the change is: 0, or 1 for what the host learns of the step before, so that it has
     *     queued what comes next before it waits. The first step of the window is then not decided: the stage runs
     */
    record Decided(String measured, Rule rule, int slip) implements Rounds {
        public Decided {
            if (slip < 0 || slip > 1) {
                throw new PlanException("a decision is 0 or 1 steps late, not " + slip);
            }
        }

        @Override
        public boolean includes(int step, int steps) {
            return true;
        }

        /** Whether it is decided if the stage runs at a step. */
        public boolean isOpen(int step, int steps, Cadence cadence) {
            return !cadence.isSynchronous(step, steps) && !(slip > 0 && cadence.isSynchronous(step - 1, steps));
        }

        @Override
        public String toString() {
            return "decide=first-block," + rule + ",slip=" + slip;
        }
    }

    /**
     * Those of a window whose place is decided while the loop runs, or all others. Until then a stage may run at any
     * step at which the window may lie.
     *
     * @param inside whether a stage is for the window; else it is for the steps before it and behind it
     */
    record Window(Rule.Flat rule, boolean inside) implements Rounds {
        @Override
        public boolean includes(int step, int steps) {
            return true;
        }

        @Override
        public String toString() {
            return "as the loop decides";
        }
    }

    /** The steps that both have. */
    record Both(Rounds first, Rounds second) implements Rounds {
        @Override
        public boolean includes(int step, int steps) {
            return first.includes(step, steps) && second.includes(step, steps);
        }

        @Override
        public String toString() {
            return first + " and " + second;
        }
    }

    /** The steps that one of them has. */
    record Either(Rounds first, Rounds second) implements Rounds {
        @Override
        public boolean includes(int step, int steps) {
            return first.includes(step, steps) || second.includes(step, steps);
        }

        @Override
        public String toString() {
            return first + " or " + second;
        }
    }

    /** All but those of the asynchronous window. */
    record Outside(Cadence cadence) implements Rounds {
        @Override
        public boolean includes(int step, int steps) {
            return cadence.isSynchronous(step, steps);
        }

        @Override
        public String toString() {
            return "outside the window";
        }
    }

    /** Those at which both guidance branches are predicted. */
    record Guided(GuidanceSchedule schedule) implements Rounds {
        @Override
        public boolean includes(int step, int steps) {
            return schedule.at(step, steps) == GuidanceSchedule.Unconditional.PREDICTED;
        }

        @Override
        public String toString() {
            return "guided";
        }
    }

    /** These steps. */
    record At(SortedSet<Integer> steps) implements Rounds {
        public At {
            steps = Collections.unmodifiableSortedSet(new TreeSet<>(steps));
        }

        @Override
        public boolean includes(int step, int steps) {
            return this.steps.contains(step);
        }

        @Override
        public String toString() {
            return "steps=" + steps.stream().map(String::valueOf).collect(Collectors.joining("+"));
        }
    }

    /**
     * As long as what the stage adds keeps its size, as was measured for a model beforehand (Ma et al., "MagCache: Fast
     * Video Generation with Magnitude-Aware Cache", 2025): it rests until the sizes since its last run have moved by
     * more than a threshold.
     *
     * @param ratios of the size at each step to that at the step before; of other numbers of steps, the nearest serve
     * @param threshold of the sum of how far the size is off at the steps at which it rested
     * @param most how many steps it rests at a time
     * @param kept share of the steps, from the first, at which it runs in any case
     */
    record Magnitudes(List<Double> ratios, double threshold, int most, double kept) implements Rounds {
        public Magnitudes {
            ratios = List.copyOf(ratios);
            if (ratios.isEmpty() || most < 1 || !(threshold >= 0) || !(kept >= 0 && kept <= 1)) {
                throw new PlanException("magnitudes are at least one ratio, a threshold of at least 0, at least 1 step "
                    + "to rest at most and a share of the steps from 0 to 1");
            }
        }

        @Override
        public boolean includes(int step, int steps) {
            double size = 1;
            double error = 0;
            int rested = 0;
            boolean runs = true;
            for (int at = (int) (kept * steps + 0.5); at <= step; at++) {
                size *= ratio(at, steps);
                rested++;
                error += Math.abs(1 - size);
                runs = at == 0 || error > threshold || rested > most;
                if (runs) {
                    size = 1;
                    error = 0;
                    rested = 0;
                }
            }
            return runs;
        }

        private double ratio(int step, int steps) {
            int last = ratios.size() - 1;
            return ratios.get(ratios.size() == steps ? step
                : (int) Math.rint((double) step * last / Math.max(1, steps - 1)));
        }

        @Override
        public String toString() {
            return "magnitudes=" + ratios.stream().map(String::valueOf).collect(Collectors.joining("+"))
                + ",threshold=" + threshold + ",most=" + most + ",kept=" + kept;
        }
    }

    /**
     * As {@link Magnitudes}, with ratios that are measured once for a model and lie in a file.
     *
     * @param file that of the model if it is not said
     * @param ratios none as long as the model is not known
     */
    record Calibrated(Optional<String> file, double threshold, int most, double kept, List<Double> ratios)
        implements Rounds {
        public Calibrated {
            ratios = List.copyOf(ratios);
        }

        /** With those of the model. */
        public Calibrated with(List<Double> measured) {
            return new Calibrated(file, threshold, most, kept, measured);
        }

        @Override
        public boolean includes(int step, int steps) {
            if (ratios.isEmpty()) {
                throw new PlanException("the model is not known for which a cache is to be calibrated");
            }
            return new Magnitudes(ratios, threshold, most, kept).includes(step, steps);
        }

        @Override
        public String toString() {
            return file.map(path -> "calibration=" + path).orElse("calibrated") + ",threshold=" + threshold + ",most="
                + most + ",kept=" + kept;
        }
    }

    /**
     * How a decision follows from numbers that devices measured: pure, so that the same request decides the same way
     * every time.
     */
    sealed interface Rule {
        /**
         * Decides.
         *
         * @param measures in the order in which they are made in a run, NaN for those that were left out; the first
         *     {@code count} of them are there
         * @param count at least 1
         * @param step that is decided about, from 0
         */
        boolean decide(float[] measures, int count, int step);

        /** What a forecast takes for granted, as it has no numbers. */
        boolean expects(int step);

        /**
         * Yes where the last number is above a threshold, or is no number at all: what cannot be compared is made anew.
         *
         * @param threshold at least 0
         */
        record Above(double threshold) implements Rule {
            /** One of so many steps is expected: with a threshold of 0.1 the sample model ran a part at 19 of 47. */
            public static final int EXPECTED_INTERVAL = 2;

            public Above {
                if (!(threshold >= 0)) {
                    throw new PlanException("the threshold of a decision is at least 0, not " + threshold);
                }
            }

            @Override
            public boolean decide(float[] measures, int count, int step) {
                return !(measures[count - 1] <= threshold);
            }

            @Override
            public boolean expects(int step) {
                return step % EXPECTED_INTERVAL == 0;
            }

            @Override
            public String toString() {
                return "threshold=" + threshold;
            }
        }

        /**
         * Yes in a window that begins where the numbers, one of each step, hardly fall any more (Jung et al., 2026):
         * behind the first step <i>i</i> at which {@code 0 ≤ (m[i − lookback] − m[i]) / lookback < threshold}. What is
         * no number is not flat.
         *
         * @param lookback how many steps before a number lies the one that it is compared with, at least 1
         * @param threshold of the fall in a step, at least 0
         * @param slip steps between the number and the window: 0, for which the host waits before each step, or 1
         * @param latest the first step of the window if nothing is flat before
         * @param length steps of the window, at least 1
         */
        record Flat(int lookback, double threshold, int slip, int latest, int length) implements Rule {
            public Flat {
                if (lookback < 1 || !(threshold >= 0) || slip < 0 || slip > 1 || length < 1
                    || latest < lookback + 1 + slip) {
                    throw new PlanException("a window that is decided looks back at least 1 step, for a fall of at "
                        + "least 0, is 0 or 1 steps late and has at least 1 step; it cannot begin before step lookback "
                        + "+ 1 + slip, counted from 0. This one: lookback=" + lookback + ",threshold=" + threshold
                        + ",slip=" + slip + ",latest=" + latest + ",length=" + length);
                }
            }

            /** The first step at which the window may begin. */
            public int earliest() {
                return lookback + 1 + slip;
            }

            @Override
            public boolean decide(float[] measures, int count, int step) {
                int begin = begin(measures, count);
                return step >= begin && step < begin + length;
            }

            private int begin(float[] measures, int count) {
                for (int at = lookback; at < count && at + 1 + slip < latest; at++) {
                    double fall = ((double) measures[at - lookback] - measures[at]) / lookback;
                    if (fall >= 0 && fall < threshold) {
                        return at + 1 + slip;
                    }
                }
                return latest;
            }

            /** Whether the window begins at the latest. */
            @Override
            public boolean expects(int step) {
                return step >= latest && step < latest + length;
            }

            @Override
            public String toString() {
                return "lookback=" + lookback + ",threshold="
                    + new BigDecimal(Double.toString(threshold)).stripTrailingZeros().toPlainString() + ",slip=" + slip
                    + ",latest=" + latest;
            }
        }
    }
}
