package dev.slipstream.pipelines.plan;

import java.util.List;

/**
 * What a plan needs to know of a segment: its name and component, and the tensors that it reads and writes. Tensors are
 * those of the whole graph, so an edge is a name that one outline writes and another reads. A negative component is one
 * that every strategy keeps fresh: it runs at every step at which it is read, at that step's own timestep.
 */
public record SegmentOutline(String name, int component, List<String> reads, List<String> writes) {
    public SegmentOutline {
        reads = List.copyOf(reads);
        writes = List.copyOf(writes);
    }

    /** The same segment as one of another component. */
    SegmentOutline of(int other) {
        return new SegmentOutline(name, other, reads, writes);
    }
}
