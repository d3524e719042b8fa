package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.plan.SegmentOutline;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A network in segments, which may be more than the pieces of one graph: others may stand for them at some steps.
 *
 * @param whole the network as it was
 * @param types of all tensors
 * @param residuals tensors that a segment's component makes by adding to one that enters it, and that one
 * @param former inputs of segments that are tensors of an earlier step, and the names of these
 * @param fresh tensors that are of the same step, whatever the plan
 */
record CutNetwork(Graph whole, List<Segment> segments, Map<String, TensorType> types,
    Map<String, String> residuals, Map<String, String> former, Set<String> fresh) {

    /** The pieces of one graph. */
    static CutNetwork of(Partition partition, Map<String, String> residuals) {
        return new CutNetwork(partition.whole(), partition.segments(), ValueInfos.types(partition.whole()), residuals,
            Map.of(), Set.of());
    }

    /** What a plan needs to know of the segments. */
    List<SegmentOutline> outlines() {
        return segments.stream().map(this::outline).toList();
    }

    private SegmentOutline outline(Segment segment) {
        Map<String, String> ports = new LinkedHashMap<>();
        Set<String> sameStep = new HashSet<>(segment.inputs());
        sameStep.retainAll(fresh);
        List<String> reads = segment.inputs().stream().map(input -> former.getOrDefault(input, input)).toList();
        segment.inputs().stream().filter(former::containsKey).forEach(input -> ports.put(former.get(input), input));
        Map<String, String> added = new HashMap<>(residuals);
        added.keySet().retainAll(segment.outputs());
        return new SegmentOutline(segment.name(), segment.component(), reads, segment.outputs(), added, ports,
            sameStep);
    }

    /** Tensors that go from a segment to others. */
    List<String> edges() {
        Set<String> read = new HashSet<>();
        segments.forEach(segment -> read.addAll(segment.inputs()));
        return segments.stream().flatMap(segment -> segment.outputs().stream()).filter(read::contains).distinct()
            .toList();
    }
}
