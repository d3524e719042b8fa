package dev.slipstream.pipelines.run.timeline;

import dev.slipstream.pipelines.run.timeline.Timeline.Intervals.Interval;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * What ran where and when, measured or simulated. Times are nanoseconds since the start of the loop.
 *
 * @param lanes one for each stream of the program, in their order
 * @param stages what people call stages, by their number; may be fewer than there are
 * @param endNanos when all was done
 * @param spans in the order of their instructions
 * @param flows of values from lane to lane
 */
public record Timeline(List<Lane> lanes, List<String> stages, long endNanos, List<Span> spans, List<Flow> flows) {
    /**
     * A queue of a device.
     *
     * @param device its number in the program
     * @param deviceName what people call it
     * @param copies whether only copies go there
     */
    public record Lane(int device, String deviceName, boolean copies) {
    }

    /**
     * One instruction at work.
     *
     * @param instruction its number in the program, which names the same work in every run of that program
     * @param lane index of the lane
     * @param step the denoising step that it serves
     * @param busyNanos processing time: on a CPU without what other load took away; 0 for waits
     */
    public record Span(int instruction, int lane, int step, Activity activity, long startNanos, long endNanos,
        long busyNanos) {
        Interval interval() {
            return new Interval(startNanos, endNanos);
        }
    }

    /** A value goes to another lane: the instruction that writes it there comes before the one that reads it. */
    public record Flow(int from, int to) {
    }

    /** What an instruction does. */
    public sealed interface Activity {
        /** Runs the engine of a stage. */
        record Stage(int stage) implements Activity {
        }

        /** Copies bytes; both devices may be the same one. */
        record Copy(int from, int to, long bytes) implements Activity {
        }

        /** Something small: a combination, a check. @param name in a few words */
        record Arithmetic(String name) implements Activity {
        }

        /** Waits for another lane. */
        record Wait() implements Activity {
        }

        /** Whether a device computes meanwhile, rather than moves bytes or waits. */
        default boolean computes() {
            return this instanceof Stage || this instanceof Arithmetic;
        }
    }

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

    public Timeline {
        lanes = List.copyOf(lanes);
        stages = List.copyOf(stages);
        spans = List.copyOf(spans);
        flows = List.copyOf(flows);
    }

    /** The same with other names of stages. */
    public Timeline named(List<String> names) {
        return new Timeline(lanes, names, endNanos, spans, flows);
    }

    /**
     * The same with a work beside the loop, in a lane of its own of the device where there is none yet; what is outside
     * of the loop's time is cut off.
     *
     * @param name what people call the work
     */
    public Timeline with(int device, String name, long startNanos, long endNanos) {
        long start = Math.max(0, startNanos);
        long end = Math.min(this.endNanos, endNanos);
        if (start >= end) {
            return this;
        }
        List<Lane> allLanes = new ArrayList<>(lanes);
        int own = IntStream.range(0, lanes.size()).filter(lane -> lanes.get(lane).device() == device && isBeside(lane))
            .findFirst().orElse(lanes.size());
        if (own == lanes.size()) {
            allLanes.add(new Lane(device, deviceName(device), false));
        }
        List<Span> allSpans = new ArrayList<>(spans);
        int instruction = 1 + spans.stream().mapToInt(Span::instruction).max().orElse(-1);
        allSpans.add(new Span(instruction, own, 0, new Activity.Arithmetic(name), start, end, end - start));
        return new Timeline(allLanes, stages, this.endNanos, allSpans, flows);
    }

    /** Whether a lane has what runs beside the loop: a second one for computing on its device. */
    boolean isBeside(int lane) {
        return !lanes.get(lane).copies() && lanes.indexOf(lanes.get(lane)) < lane;
    }

    /** What people call a stage. */
    public String stage(int index) {
        return index < stages.size() ? stages.get(index) : "stage " + index;
    }

    /** What people call what a span does. */
    public String name(Span span) {
        return switch (span.activity()) {
            case Activity.Stage(int stage) -> stage(stage);
            case Activity.Copy copy -> "copy";
            case Activity.Arithmetic(String name) -> name;
            case Activity.Wait wait -> "wait";
        };
    }

    /** What people call a device. */
    public String deviceName(int device) {
        return lanes.stream().filter(lane -> lane.device() == device).map(Lane::deviceName).findFirst().orElse("");
    }

    public int devices() {
        return 1 + lanes.stream().mapToInt(Lane::device).max().orElse(-1);
    }

    /** When a device computes: runs engines, or does something small between them. */
    public Intervals busy(int device) {
        return intervals(span -> lanes.get(span.lane()).device() == device && span.activity().computes());
    }

    /** When a device does not compute: it waits, copies, or has nothing to do. */
    public Intervals bubbles(int device) {
        return Intervals.of(List.of(new Interval(0, endNanos))).minus(busy(device));
    }

    /** The share of the time in which a device computes, 0 to 1. */
    public double utilisation(int device) {
        return endNanos == 0 ? 0 : (double) busy(device).nanos() / endNanos;
    }

    /** The mean of all devices' utilisation. */
    public double utilisation() {
        double sum = 0;
        for (int device = 0; device < devices(); device++) {
            sum += utilisation(device);
        }
        return devices() == 0 ? 0 : sum / devices();
    }

    /** When bytes are on their way to a device from others, and no computing of that device hides it. */
    public Intervals exposedCopies(int device) {
        return intervals(span -> span.activity() instanceof Activity.Copy(int from, int to, long bytes)
            && to == device && from != device).minus(busy(device));
    }

    private Intervals intervals(Predicate<Span> which) {
        return Intervals.of(spans.stream().filter(which).map(Span::interval).toList());
    }

    /**
     * A part of the time as a timeline of its own, which begins at 0: spans are cut off at its ends.
     *
     * @param fromNanos at least 0, less than {@code toNanos}
     */
    public Timeline between(long fromNanos, long toNanos) {
        List<Span> cut = spans.stream().filter(span -> span.endNanos() > fromNanos && span.startNanos() < toNanos)
            .map(span -> cut(span, fromNanos, toNanos)).toList();
        return new Timeline(lanes, stages, toNanos - fromNanos, cut, flows);
    }

    private static Span cut(Span span, long from, long to) {
        long start = Math.max(span.startNanos(), from);
        long end = Math.min(span.endNanos(), to);
        long nanos = span.endNanos() - span.startNanos();
        return new Span(span.instruction(), span.lane(), span.step(), span.activity(), start - from, end - from,
            nanos == 0 ? span.busyNanos() : Math.round((double) span.busyNanos() / nanos * (end - start)));
    }

    /** Median processing time of each stage that ran. */
    public Map<Integer, Long> medianBusyNanos() {
        Map<Integer, List<Long>> times = new TreeMap<>();
        for (Span span : spans) {
            if (span.activity() instanceof Activity.Stage(int stage)) {
                times.computeIfAbsent(stage, key -> new ArrayList<>()).add(span.busyNanos());
            }
        }
        Map<Integer, Long> medians = new TreeMap<>();
        times.forEach((stage, all) -> medians.put(stage, all.stream().sorted().toList().get(all.size() / 2)));
        return medians;
    }
}
