package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Branch;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.run.NoiseTable.Linear;
import dev.slipstream.pipelines.run.NoiseTable.Next;
import dev.slipstream.pipelines.run.NoiseTable.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Denoisers and loops for tests, without any numbers in them. */
final class Loops {
    private static final TensorType LATENTS = TensorType.of(DataType.FLOAT32, 1, 4, 8, 8);

    private Loops() {
    }

    /** A chain of components: C0 reads x, each other reads the one before. */
    static List<SegmentOutline> chain(int components) {
        return IntStream.range(0, components).mapToObj(c -> new SegmentOutline("C" + c, c,
            List.of(c == 0 ? "x" : "o" + (c - 1), "t"), List.of(c == components - 1 ? "eps" : "o" + c))).toList();
    }

    /** An inner component I between the two halves D and U of an outer one. */
    static List<SegmentOutline> shell() {
        return List.of(new SegmentOutline("D", 1, List.of("x", "t"), List.of("d", "skip")),
            new SegmentOutline("I", 0, List.of("d", "t"), List.of("i")),
            new SegmentOutline("U", 1, List.of("i", "skip", "t"), List.of("eps")));
    }

    /** A loop whose latents become the prediction, at the timesteps 0, 1, 2, ... */
    static LoopSpec loop(List<SegmentOutline> segments, int steps) {
        return loop(segments, steps, 0);
    }

    /** The same with estimates on the way, each twice the latents less the prediction. */
    static LoopSpec loop(List<SegmentOutline> segments, int steps, int estimateEvery) {
        Map<String, TensorType> types = new HashMap<>();
        for (SegmentOutline segment : segments) {
            segment.reads().forEach(tensor -> types.put(tensor, LATENTS));
            segment.writes().forEach(tensor -> types.put(tensor, LATENTS));
        }
        types.put("t", TensorType.of(DataType.INT64));
        List<Row> rows = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            rows.add(new Row(step, 1, new Next(0, 1, List.of(), 0), Linear.ZERO, new Linear(2, -1)));
        }
        return new LoopSpec(new DenoiserPorts("x", "t", List.of(), "eps"), new NoiseTable("test", 1, rows),
            Guidance.NONE, LATENTS, Map.of(Branch.CONDITIONAL, types), false, Estimates.every(estimateEvery));
    }
}
