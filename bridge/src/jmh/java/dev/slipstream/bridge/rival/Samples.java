package dev.slipstream.bridge.rival;

import java.util.Map;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.util.ListStatistics;

/** What was measured of one way to make one call, an iteration a value. */
final class Samples {
    private static final String ALLOCATED = "gc.alloc.rate.norm";
    private static final double CONFIDENCE = 0.999;

    private final ListStatistics nanos = new ListStatistics();
    private final ListStatistics processorNanos = new ListStatistics();
    private final ListStatistics bytes = new ListStatistics();

    void add(IterationResult iteration) {
        Map<String, Result> others = iteration.getSecondaryResults();
        nanos.addValue(iteration.getPrimaryResult().getScore());
        processorNanos.addValue(others.get(ProcessorTime.LABEL).getScore());
        bytes.addValue(others.get(ALLOCATED).getScore());
    }

    /** Cells of a table. */
    String cells() {
        return String.format("%.1f | %.1f ± %.1f | %.1f | %.0f", processorNanos.getPercentile(50),
            processorNanos.getMean(), processorNanos.getMeanErrorAt(CONFIDENCE), nanos.getPercentile(50),
            bytes.getPercentile(50));
    }
}
