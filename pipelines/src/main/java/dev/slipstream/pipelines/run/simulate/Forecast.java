package dev.slipstream.pipelines.run.simulate;

import dev.slipstream.pipelines.run.timeline.Timeline;
import java.util.List;

/**
 * What a program takes on a machine.
 *
 * @param timeline what runs where and when; it answers for utilisation, bubbles and exposed copies
 * @param memory of each device
 */
public record Forecast(Timeline timeline, List<Memory> memory) {
    /** Bytes that a device holds from the beginning to the end. */
    public record Memory(long weightBytes, long bufferBytes) {
        public long bytes() {
            return weightBytes + bufferBytes;
        }
    }

    public Forecast {
        memory = List.copyOf(memory);
    }

    /** Nanoseconds from the first instruction that the host queues until all streams are done. */
    public long latencyNanos() {
        return timeline.endNanos();
    }
}
