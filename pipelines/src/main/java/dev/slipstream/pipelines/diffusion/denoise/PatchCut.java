package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.cut.BalancedCut;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.patch.PatchedNetwork;
import dev.slipstream.pipelines.graph.patch.Patching.Axis;
import dev.slipstream.pipelines.graph.patch.Patching.Norms;
import dev.slipstream.pipelines.graph.patch.Patching;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.plan.Patches.Norm;
import dev.slipstream.pipelines.plan.Patches;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** Cuts a denoiser into patches: the segments of each, the whole network, and what puts predictions together. */
record PatchCut(DenoiserGraph denoiser, Cutting.Patched cutting) {
    private Patches strategy() {
        return cutting.strategy();
    }

    private Axis axis() {
        return strategy().columns() ? Axis.COLUMNS : Axis.ROWS;
    }

    private int axisIndex() {
        return strategy().columns() ? 3 : 2;
    }

    /**
     * Finds out whether latents can be divided so.
     *
     * @throws PlanException if not; the message has the next sizes that can
     */
    void check(LoopShape shape) {
        if (!denoiser.joined().isEmpty()) {
            throw new PlanException("patches are not for networks that are joined, here with "
                + String.join(", ", denoiser.joined()) + "; take asyncdiff");
        }
        long side = shape.latents().shape().dim(axisIndex());
        long multiple = PatchedNetwork.sideMultiple(denoiser.graph(), cutting.patches());
        if (side % multiple != 0) {
            long less = side / multiple * multiple;
            throw new PlanException("latents with " + side + (strategy().columns() ? " columns" : " rows")
                + " cannot be divided into " + cutting.patches() + " equal patches; "
                + (less > 0 ? less + " and " + (less + multiple) + " can" : multiple + " can"));
        }
    }

    /** Sizes of one patch. */
    private LoopShape ofPatch(LoopShape shape) {
        long side = shape.latents().shape().dim(axisIndex());
        Map<String, TensorType> conditions = new HashMap<>(shape.conditions());
        conditions.replaceAll((name, type) -> type.shape().rank() == 4 && type.shape().dim(axisIndex()) == side
            ? divided(type) : type);
        return new LoopShape(divided(shape.latents()), shape.extraChannels(), shape.guided(), conditions);
    }

    private TensorType divided(TensorType type) {
        long[] dims = type.shape().toArray();
        dims[axisIndex()] /= cutting.patches();
        return TensorType.of(type.type(), dims);
    }

    /**
     * Makes the segments.
     *
     * @param whole the graph for these sizes
     * @param fixed gives the graph of a denoiser for other sizes
     */
    CutNetwork of(LoopShape shape, Graph whole, BiFunction<DenoiserGraph, LoopShape, Graph> fixed) {
        check(shape);
        boolean together = strategy().norm() == Norm.SYNC;
        Graph part = fixed.apply(denoiser.with(PatchedNetwork.opened(denoiser.graph())), ofPatch(shape));
        PatchedNetwork network = PatchedNetwork.of(whole, part, new Patching(cutting.patches(),
            axis(), switch (strategy().norm()) {
                case CORRECTED -> Norms.CORRECTED;
                case STALE, SYNC -> Norms.EXCHANGED;
                case SEPARATE -> Norms.SEPARATE;
            }, strategy().portion(), strategy().bessel()));
        List<Segment> segments = new ArrayList<>();
        segments.add(new Segment(denoiser.name(), 0, network.whole()));
        Set<String> fresh = new LinkedHashSet<>();
        List<Cut> cuts = new ArrayList<>();
        List<List<Segment>> pieces = new ArrayList<>();
        for (int patch = 0; patch < cutting.patches(); patch++) {
            Graph graph = network.patches().get(patch);
            List<String> statistics = together ? PatchedNetwork.statistics(graph) : List.of();
            fresh.addAll(statistics);
            pieces.add(pieces(patch, pieces(graph, statistics, cuts)));
        }
        // Piece by piece, as what is of the same step is made before it is read.
        int most = pieces.stream().mapToInt(List::size).max().orElse(0);
        for (int piece = 0; piece < most; piece++) {
            for (List<Segment> ofPatch : pieces) {
                segments.addAll(ofPatch.subList(Math.min(piece, ofPatch.size()), Math.min(piece + 1, ofPatch.size())));
            }
        }
        segments.add(new Segment("together", cutting.patches() + 1, network.assembly()));
        Map<String, TensorType> types = new HashMap<>();
        Stream.concat(Stream.of(network.whole(), network.assembly()), network.patches().stream())
            .forEach(graph -> types.putAll(ValueInfos.types(graph)));
        return new CutNetwork(whole, segments, types, Map.of(), network.former(), fresh);
    }

    private static List<Segment> pieces(int patch, List<Graph> graphs) {
        List<Segment> segments = new ArrayList<>();
        for (int piece = 0; piece < graphs.size(); piece++) {
            segments.add(new Segment("patch" + patch + (graphs.size() > 1 ? "." + piece : ""), patch + 1,
                graphs.get(piece)));
        }
        return segments;
    }

    /**
     * The graph of a patch in pieces.
     *
     * @param statistics with which pieces end, as others wait for them
     * @param cuts gets the cut that was made, which is that of the next patches, too
     */
    private List<Graph> pieces(Graph graph, List<String> statistics, List<Cut> cuts) {
        Set<String> changing = new HashSet<>(ValueInfos.typesOf(graph.inputs()).keySet());
        denoiser.ports().conditions().forEach(changing::remove);
        changing.remove(denoiser.ports().timestep());
        if (!statistics.isEmpty()) {
            return graphs(Splitter.split(graph, statistics.stream().map(List::of).toList(), changing));
        }
        if (strategy().segments() == 1) {
            return List.of(graph);
        }
        if (cuts.isEmpty()) {
            cuts.add(BalancedCut.of(graph, strategy().segments(), changing, Costs.of(graph)));
        }
        return graphs(Splitter.split(graph, cuts.getFirst(), changing));
    }

    private static List<Graph> graphs(Partition partition) {
        return partition.segments().stream().map(Segment::graph).toList();
    }
}
