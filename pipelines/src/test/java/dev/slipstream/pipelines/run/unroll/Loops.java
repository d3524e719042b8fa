package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import dev.slipstream.pipelines.run.loop.DenoiserPorts;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LinearForm;
import dev.slipstream.pipelines.run.loop.LoopSpec.Band;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable.Row;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Denoisers and loops for tests, without any numbers in them. */
public final class Loops {
    /** The ways in which what one device makes gets to another. */
    static final List<UnrollOptions> OPTIONS = List.of(UnrollOptions.PLAIN,
        new UnrollOptions(true, false, false, false), UnrollOptions.IN_PLACE);

    private static final TensorType LATENTS = TensorType.of(DataType.FLOAT32, 1, 4, 8, 8);

    private Loops() {
    }

    /** A chain of components: C0 reads x, each other reads the one before. */
    public static List<SegmentOutline> chain(int components) {
        return IntStream.range(0, components).mapToObj(c -> new SegmentOutline("C" + c, c,
            List.of(c == 0 ? "x" : "o" + (c - 1), "t"), List.of(c == components - 1 ? "eps" : "o" + c))).toList();
    }

    /** An inner component I between the two halves D and U of an outer one. */
    public static List<SegmentOutline> shell() {
        return List.of(new SegmentOutline("D", 1, List.of("x", "t"), List.of("d", "skip")),
            new SegmentOutline("I", 0, List.of("d", "t"), List.of("i")),
            new SegmentOutline("U", 1, List.of("i", "skip", "t"), List.of("eps")));
    }

    /**
     * Parts through which patches go, as a transformer is cut: P0@1 is the first part for the second patch. Each has
     * keys of its own and passes hidden states on.
     */
    public static List<SegmentOutline> pipe(int parts, int patches) {
        Cutting.Pipe pipe = new Cutting.Pipe(parts, patches);
        List<Integer> all = IntStream.range(0, patches).boxed().toList();
        List<SegmentOutline> segments = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            String key = "k" + part;
            List<String> writes = new ArrayList<>(all.stream().map(patch -> key + "@" + patch).toList());
            writes.add(part == parts - 1 ? "eps" : "h" + part);
            segments.add(new SegmentOutline("P" + part, pipe.whole(part),
                List.of(part == 0 ? "x" : "h" + (part - 1), "t"), writes));
        }
        segments.add(new SegmentOutline("division", pipe.division(), List.of("x"),
            all.stream().map(patch -> "x@" + patch).toList()));
        for (int patch : all) {
            for (int part = 0; part < parts; part++) {
                String key = "k" + part;
                List<String> reads = new ArrayList<>(all.stream().filter(other -> other != patch)
                    .map(other -> key + "@" + other).toList());
                reads.addAll(List.of((part == 0 ? "x" : "h" + (part - 1)) + "@" + patch, "t"));
                segments.add(new SegmentOutline("P" + part + "@" + patch, pipe.patch(part, patch), reads,
                    List.of(key + "@" + patch, (part == parts - 1 ? "eps" : "h" + part) + "@" + patch)));
            }
        }
        segments.add(new SegmentOutline("assembly", pipe.assembly(),
            all.stream().map(patch -> "eps@" + patch).toList(), List.of("eps")));
        return segments;
    }

    /** A loop for these, in which patches are bands of the latents. */
    public static LoopSpec banded(List<SegmentOutline> segments, NoiseTable table, int patches) {
        LoopSpec whole = loop(segments, table, Guidance.NONE, 1, 4);
        List<Band> bands = IntStream.range(0, patches).mapToObj(patch -> new Band("x@" + patch, "eps@" + patch))
            .toList();
        LoopSpec loop = whole;
        for (Band band : bands) {
            TensorType rows = TensorType.of(DataType.FLOAT32, 1, 4, 8 / patches, 8);
            loop = withType(withType(loop, band.sample(), rows), band.prediction(), rows);
        }
        return new LoopSpec(loop.ports(), loop.noise(), loop.guidance(), loop.latents(), loop.types(),
            KeptLatents.LAST, loop.estimates(), loop.rests(), bands);
    }

    /** A loop whose latents become the prediction, at the timesteps 0, 1, 2, ... */
    public static LoopSpec loop(List<SegmentOutline> segments, int steps) {
        return loop(segments, steps, 0);
    }

    /** The same with estimates on the way, each twice the latents less the prediction. */
    public static LoopSpec loop(List<SegmentOutline> segments, int steps, int estimateEvery) {
        Map<String, TensorType> types = new HashMap<>();
        for (SegmentOutline segment : segments) {
            segment.reads().forEach(tensor -> types.put(tensor, LATENTS));
            segment.writes().forEach(tensor -> types.put(tensor, LATENTS));
        }
        types.put("t", TensorType.of(DataType.INT64));
        List<Row> rows = new ArrayList<>();
        for (int step = 0; step < steps; step++) {
            rows.add(new Row(step, 1, new LinearForm(0, 1, List.of(), 0), LinearForm.ZERO, new LinearForm(2, -1)));
        }
        return new LoopSpec(new DenoiserPorts("x", "t", List.of(), "eps"), new NoiseTable("test", 1, rows),
            Guidance.NONE, LATENTS, Map.of(Branch.CONDITIONAL, types), KeptLatents.LAST,
            Estimates.every(estimateEvery));
    }

    /**
     * Segments in a row, of which each also reads some of the tensors made before.
     *
     * @param components of each segment
     * @param masks of each segment the bits of those before whose tensors it reads, too
     */
    static List<SegmentOutline> reading(List<Integer> components, List<Integer> masks) {
        List<SegmentOutline> segments = new ArrayList<>();
        for (int i = 0; i < components.size(); i++) {
            List<String> reads = new ArrayList<>(List.of("t", i == 0 ? "x" : "o" + (i - 1)));
            for (int earlier = 0; earlier < i - 1; earlier++) {
                if ((masks.get(i) >> earlier & 1) == 1) {
                    reads.add("o" + earlier);
                }
            }
            segments.add(new SegmentOutline("S" + i, components.get(i), reads,
                List.of(i == components.size() - 1 ? "eps" : "o" + i)));
        }
        return withText(segments);
    }

    /** The first segment also reads {@code text}, a condition with a row for each row of the latents. */
    static List<SegmentOutline> withText(List<SegmentOutline> segments) {
        SegmentOutline first = segments.getFirst();
        List<SegmentOutline> changed = new ArrayList<>(segments);
        changed.set(0, new SegmentOutline(first.name(), first.component(), List.of("x", "t", "text"), first.writes()));
        return changed;
    }

    /**
     * A loop with any table, and with types for each branch: those of {@code BOTH} have twice the rows.
     *
     * @param channels that the denoiser takes, of which the latents are the first four
     */
    static LoopSpec loop(List<SegmentOutline> segments, NoiseTable table, Guidance guidance, int batch, int channels) {
        Map<Branch, Map<String, TensorType>> types = new HashMap<>();
        for (Branch branch : Branch.values()) {
            int rows = branch == Branch.BOTH ? 2 * batch : batch;
            Map<String, TensorType> here = new HashMap<>();
            for (SegmentOutline segment : segments) {
                segment.reads().forEach(tensor -> here.put(tensor, TensorType.of(DataType.FLOAT32, rows, 4, 8, 8)));
                segment.writes().forEach(tensor -> here.put(tensor, TensorType.of(DataType.FLOAT32, rows, 4, 8, 8)));
            }
            here.put("x", TensorType.of(DataType.FLOAT32, rows, channels, 8, 8));
            here.put("t", TensorType.of(DataType.INT64));
            types.put(branch, here);
        }
        return new LoopSpec(new DenoiserPorts("x", "t", List.of("text"), "eps"), table, guidance,
            TensorType.of(DataType.FLOAT32, batch, 4, 8, 8), types, KeptLatents.LAST, Estimates.NONE);
    }

    /** A table whose next latents are the prediction, times 0.5 where they enter the denoiser. */
    public static NoiseTable predictions(int steps) {
        return new NoiseTable("predictions", 1, IntStream.range(0, steps).mapToObj(step ->
            new Row(step, 0.5, LinearForm.PREDICTION, LinearForm.ZERO, LinearForm.ZERO)).toList());
    }

    /** The same loop, with the latents of every step kept. */
    static LoopSpec kept(LoopSpec loop) {
        return new LoopSpec(loop.ports(), loop.noise(), loop.guidance(), loop.latents(), loop.types(),
            KeptLatents.ALL, loop.estimates());
    }

    /** The same loop, with another type of one tensor. */
    static LoopSpec withType(LoopSpec loop, String tensor, TensorType type) {
        Map<Branch, Map<String, TensorType>> types = new HashMap<>();
        loop.types().forEach((branch, all) -> {
            types.put(branch, new HashMap<>(all));
            types.get(branch).put(tensor, type);
        });
        return new LoopSpec(loop.ports(), loop.noise(), loop.guidance(), loop.latents(), types, loop.kept(),
            loop.estimates());
    }
}
