package dev.slipstream.pipelines.run.timeline;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs beside each other, as people look at them.
 *
 * @param runs by what people call them, in this order; one alone may have the empty name
 */
public record Timelines(Map<String, Timeline> runs) {
    public Timelines {
        runs = Collections.unmodifiableMap(new LinkedHashMap<>(runs));
    }

    /** One run alone. */
    public static Timelines of(Timeline timeline) {
        return new Timelines(Map.of("", timeline));
    }

    /**
     * A drawing on one axis of time: devices from top to bottom, each step in a colour, copies striped. It is light or
     * dark as the viewer likes; what does not know the difference shows the light one. Where steps have room, arrows say
     * whose values go where.
     *
     * @return SVG 1.1
     */
    public String svg() {
        return new Drawing(this).svg();
    }

    /**
     * A trace that ui.perfetto.dev and chrome://tracing open: a process for each device of each run, a thread for each
     * of its lanes, and a flow for each value that goes to another lane.
     *
     * @return JSON in the Trace Event Format, with times in microseconds
     */
    public String chromeTrace() {
        return ChromeTrace.of(this);
    }
}
