package dev.slipstream.pipelines.plan;

import java.util.Collections;
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

    /** @param step from 0 */
    boolean includes(int step);

    /** The steps of both. */
    default Rounds and(Rounds other) {
        return equals(ALL) || equals(other) ? other : other.equals(ALL) ? this : new Both(this, other);
    }

    /**
     * Every so many steps, counted from the first of the loop.
     *
     * @param steps at least 1
     */
    record Every(int steps) implements Rounds {
        public Every {
            if (steps < 1) {
                throw new PlanException("a stage runs every step or every so many, not every " + steps);
            }
        }

        @Override
        public boolean includes(int step) {
            return step % steps == 0;
        }

        @Override
        public String toString() {
            return "every=" + steps;
        }
    }

    /** The steps that both have. */
    record Both(Rounds first, Rounds second) implements Rounds {
        @Override
        public boolean includes(int step) {
            return first.includes(step) && second.includes(step);
        }

        @Override
        public String toString() {
            return first + " and " + second;
        }
    }

    /** These steps. */
    record At(SortedSet<Integer> steps) implements Rounds {
        public At {
            steps = Collections.unmodifiableSortedSet(new TreeSet<>(steps));
        }

        @Override
        public boolean includes(int step) {
            return steps.contains(step);
        }

        @Override
        public String toString() {
            return "steps=" + steps.stream().map(String::valueOf).collect(Collectors.joining("+"));
        }
    }
}
