package dev.slipstream.pipelines.run.timeline;

import java.util.Map;

/** How timelines are shown. Any thread may use it. */
public sealed interface TimelineFormat permits Drawing, ChromeTrace {
    /**
     * SVG 1.1: devices from top to bottom, each step in a colour, copies striped, all runs on one axis of time. It is
     * light or dark as the viewer likes; what does not know the difference shows the light one. Where steps have room,
     * arrows say which values go where.
     */
    TimelineFormat SVG = new Drawing();

    /**
     * JSON in the Trace Event Format, which ui.perfetto.dev opens: a process for each device of each run, a thread for
     * each of its lanes, a flow for each value that goes to another lane, times in microseconds.
     */
    TimelineFormat CHROME_TRACE = new ChromeTrace();

    /** @param runs by what people call them, in this order; one alone may have the empty name */
    String text(Map<String, Timeline> runs);

    /** One run alone. */
    default String text(Timeline timeline) {
        return text(Map.of("", timeline));
    }
}
