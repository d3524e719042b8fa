package dev.slipstream.pipelines.graph.cut;

import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A graph and the segments that it was cut into.
 *
 * @param whole the graph as it was
 * @param segments in an order in which they can run: each reads only inputs of the graph and what earlier ones make
 */
public record Partition(Graph whole, List<Segment> segments) {
    /** @throws GraphException if two segments make the same tensor, or one reads what no earlier one makes */
    public Partition {
        segments = List.copyOf(segments);
        Map<String, Segment> makers = new LinkedHashMap<>();
        for (Segment segment : segments) {
            for (String input : segment.inputs()) {
                if (!makers.containsKey(input) && !whole.isInput(input)) {
                    throw new GraphException("segment " + segment.name() + " reads '" + input
                        + "' before any segment makes it");
                }
            }
            for (String output : segment.outputs()) {
                Segment other = makers.put(output, segment);
                if (other != null) {
                    throw new GraphException("segments " + other.name() + " and " + segment.name() + " both make '"
                        + output + "'");
                }
            }
        }
    }

    /** The segment that makes a tensor; empty for the inputs of the whole graph. */
    public Optional<Segment> producer(String tensor) {
        return segments.stream().filter(segment -> segment.outputs().contains(tensor)).findFirst();
    }

    /** The segments that read a tensor. */
    public List<Segment> consumers(String tensor) {
        return segments.stream().filter(segment -> segment.inputs().contains(tensor)).toList();
    }

    /** Tensors that go from a segment to others, in the order in which they are made. */
    public List<String> edges() {
        return segments.stream().flatMap(segment -> segment.outputs().stream())
            .filter(tensor -> !consumers(tensor).isEmpty()).toList();
    }

    /** The segments of one component, in order. */
    public List<Segment> component(int index) {
        return segments.stream().filter(segment -> segment.component() == index).toList();
    }

    /** Number of components. */
    public int components() {
        return segments.stream().mapToInt(Segment::component).max().orElse(-1) + 1;
    }
}
