package dev.slipstream.pipelines.plan;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a plan needs to know of a segment: its name and component, and the tensors that it reads and writes. Tensors are
 * those of the whole graph, so an edge is a name that one outline writes and another reads. A negative component is one
 * that every strategy keeps fresh: it runs at every step at which it is read, at that step's own timestep.
 *
 * @param residuals of the tensors that it writes, those that are another tensor and what its component added, and that
 *     tensor
 * @param ports what the segment's graph calls tensors that it reads, where that is not their name: such as what it
 *     wrote itself a step before
 * @param fresh tensors among those that it reads which are of the same step, whatever the plan
 */
public record SegmentOutline(String name, int component, List<String> reads, List<String> writes,
    Map<String, String> residuals, Map<String, String> ports, Set<String> fresh) {

    public SegmentOutline {
        reads = List.copyOf(reads);
        writes = List.copyOf(writes);
        residuals = Map.copyOf(residuals);
        ports = Map.copyOf(ports);
        fresh = Set.copyOf(fresh);
    }

    /** A segment that adds to nothing, whose graph calls tensors by their names, and that reads them as a plan says. */
    public SegmentOutline(String name, int component, List<String> reads, List<String> writes) {
        this(name, component, reads, writes, Map.of(), Map.of(), Set.of());
    }

    /** What the segment's graph calls a tensor that it reads. */
    public String port(String tensor) {
        return ports.getOrDefault(tensor, tensor);
    }

    /** The same segment as one of another component. */
    SegmentOutline of(int other) {
        return new SegmentOutline(name, other, reads, writes, residuals, ports, fresh);
    }
}
