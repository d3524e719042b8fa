package dev.slipstream.pipelines.diffusion;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Partition;
import dev.slipstream.pipelines.graph.Segment;
import dev.slipstream.pipelines.plan.SegmentOutline;
import java.util.List;
import java.util.Map;

/** A denoiser fixed to a number of rows and cut: segments, and the type of every tensor. */
record Cutting(Partition partition, Map<String, TensorType> types) {
    List<SegmentOutline> outlines() {
        return partition.segments().stream().map(segment -> new SegmentOutline(segment.name(), segment.component(),
            segment.graph().inputs().stream().map(input -> input.getName()).toList(),
            segment.graph().outputs().stream().map(output -> output.getName()).toList())).toList();
    }

    Segment segment(int index) {
        return partition.segments().get(index);
    }
}
