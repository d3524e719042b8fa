package dev.slipstream.pipelines.run.simulate;

import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.timeline.Timeline.Intervals.Interval;
import dev.slipstream.pipelines.run.timeline.Timeline.Span;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Finds room beside a loop for work that it does not wait for, such as decoding the pictures before: greedily, one work
 * after another, each where it takes least from the loop (bubbles filled by what is frozen: DiffusionPipe, Tian et al.
 * 2024). The same loop follows without a pause, so what begins late goes on beside the beginning of the next.
 */
public final class BubbleFill {
    /** What a moment counts that a work waits, and so somebody, to one that the loop and all behind it are late. */
    private static final double WAITING = 0.1;

    /**
     * A work, all of which runs on one device.
     *
     * @param nanos how long it takes by device, on those that can run it
     */
    public record Job(String name, Map<Integer, Long> nanos) {
        public Job {
            nanos = new TreeMap<>(nanos);
        }
    }

    /**
     * Where and when a work runs.
     *
     * @param afterSteps of the loop that must be done before
     * @param delayNanos for how long the device computes for the loop meanwhile: so much later the loop ends at most
     */
    public record Place(Job job, int device, int afterSteps, long startNanos, long delayNanos) {
        private long endNanos() {
            return startNanos + job.nanos.get(device);
        }
    }

    private final Timeline timeline;
    private final long[] starts;
    /** By device when it computes for the loop: every place asks for it, and it takes a walk through all spans. */
    private final Map<Integer, List<Interval>> busy = new HashMap<>();

    /** @param timeline of a loop of at least one step */
    private BubbleFill(Timeline timeline) {
        this.timeline = timeline;
        this.starts = starts(timeline);
    }

    /** When so many steps are done. */
    private static long[] starts(Timeline timeline) {
        int steps = 1 + timeline.spans().stream().mapToInt(Span::step).max().orElse(0);
        long[] starts = new long[steps];
        for (Span span : timeline.spans()) {
            if (span.step() + 1 < steps) {
                starts[span.step() + 1] = Math.max(starts[span.step() + 1], span.endNanos());
            }
        }
        for (int step = 1; step < steps; step++) {
            starts[step] = Math.max(starts[step], starts[step - 1]);
        }
        return starts;
    }

    /**
     * Places works beside a loop; each begins when the one before is over.
     *
     * @throws IllegalArgumentException if there is no device for one
     */
    public static List<Place> of(Timeline timeline, List<Job> jobs) {
        BubbleFill fill = new BubbleFill(timeline);
        List<Place> places = new ArrayList<>();
        for (Job job : jobs) {
            places.add(fill.place(job, places.isEmpty() ? 0 : places.getLast().endNanos()));
        }
        return places;
    }

    private Place place(Job job, long from) {
        List<Place> all = new ArrayList<>();
        for (int device : job.nanos.keySet()) {
            for (int step = 0; step < starts.length; step++) {
                if (starts[step] >= from || step == starts.length - 1) {
                    long start = Math.max(from, starts[step]);
                    all.add(new Place(job, device, step, start, busy(device, start, start + job.nanos.get(device))));
                }
            }
        }
        return all.stream().min(Comparator.comparingDouble(BubbleFill::cost).thenComparing(Place::startNanos))
            .orElseThrow(() -> new IllegalArgumentException("there is no device for " + job.name));
    }

    private static double cost(Place place) {
        return place.delayNanos() + WAITING * place.startNanos();
    }

    /** For how long a device computes in a time that may go on beyond the end, where the loop begins anew. */
    private long busy(int device, long from, long to) {
        return busyUpTo(device, to) - busyUpTo(device, from);
    }

    private long busyUpTo(int device, long time) {
        List<Interval> busy = this.busy.computeIfAbsent(device, it -> timeline.busy(it).all());
        long end = Math.max(1, timeline.endNanos());
        long each = busy.stream().mapToLong(Interval::nanos).sum();
        long rest = busy.stream().mapToLong(it -> Math.clamp(time % end - it.startNanos(), 0, it.nanos())).sum();
        return time / end * each + rest;
    }
}
