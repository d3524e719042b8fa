package dev.slipstream.pipelines.run.program;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What ran where and when, measured or simulated.
 *
 * @param spans in no special order
 */
public record Timeline(List<Span> spans) {
    /**
     * One stage at work. Times are nanoseconds since the start of the loop.
     *
     * @param busyNanos processing time: on a CPU without what other load took away
     */
    public record Span(int stream, int step, int stage, long startNanos, long endNanos, long busyNanos) {
    }

    public Timeline {
        spans = List.copyOf(spans);
    }

    /** When the last span ends. */
    public long endNanos() {
        return spans.stream().mapToLong(Span::endNanos).max().orElse(0);
    }

    /** Median processing time of each stage. */
    public Map<Integer, Long> medianBusyNanos() {
        Map<Integer, Long> medians = new TreeMap<>();
        spans.stream().mapToInt(Span::stage).distinct().forEach(stage -> {
            long[] times = spans.stream().filter(span -> span.stage() == stage).mapToLong(Span::busyNanos).sorted()
                .toArray();
            medians.put(stage, times[times.length / 2]);
        });
        return medians;
    }
}
