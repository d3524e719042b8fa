package dev.slipstream.pipelines.run.timeline;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A part of a time axis, in nanoseconds.
 *
 * @param all apart from each other and ascending
 */
public record Intervals(List<Interval> all) {
    /** From a start up to an end, which is not in it. */
    public record Interval(long startNanos, long endNanos) {
        public long nanos() {
            return endNanos - startNanos;
        }
    }

    public Intervals {
        all = List.copyOf(all);
    }

    /** All that lies in one of these at least, which may overlap; empty ones count for nothing. */
    static Intervals of(List<Interval> some) {
        List<Interval> merged = new ArrayList<>();
        for (Interval next : some.stream().filter(it -> it.nanos() > 0)
            .sorted(Comparator.comparingLong(Interval::startNanos)).toList()) {
            if (!merged.isEmpty() && merged.getLast().endNanos() >= next.startNanos()) {
                Interval last = merged.removeLast();
                merged.add(new Interval(last.startNanos(), Math.max(last.endNanos(), next.endNanos())));
            } else {
                merged.add(next);
            }
        }
        return new Intervals(merged);
    }

    /** All of this that does not lie in the other. */
    Intervals minus(Intervals other) {
        List<Interval> left = new ArrayList<>();
        int first = 0;
        for (Interval interval : all) {
            long from = interval.startNanos();
            while (first < other.all.size() && other.all.get(first).endNanos() <= from) {
                first++;
            }
            for (int i = first; i < other.all.size() && other.all.get(i).startNanos() < interval.endNanos(); i++) {
                left.add(new Interval(from, other.all.get(i).startNanos()));
                from = other.all.get(i).endNanos();
            }
            left.add(new Interval(from, interval.endNanos()));
        }
        return of(left);
    }

    /** How long all of it is. */
    public long nanos() {
        return all.stream().mapToLong(Interval::nanos).sum();
    }
}
