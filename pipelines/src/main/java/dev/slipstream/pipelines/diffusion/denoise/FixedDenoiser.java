package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.build.LowPass;
import dev.slipstream.pipelines.graph.cut.Division;
import dev.slipstream.pipelines.graph.cut.FirstBlock;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.cut.ShellCut;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.pipe.PipeNetwork.Picture;
import dev.slipstream.pipelines.graph.pipe.PipeNetwork;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.plan.GuidanceSchedule;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import dev.slipstream.pipelines.run.loop.DenoiserPorts;
import dev.slipstream.pipelines.run.loop.LoopSpec.Band;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * A denoiser's graph fixed to sizes and a number of rows, and cut.
 *
 * @param cutting how
 * @param cuts that cross each other; none where the graph is in one piece, or in patches
 * @param apart the component of each joined module that has one to itself
 * @param lows whether a segment makes the low frequencies of the prediction
 */
record FixedDenoiser(DenoiserGraph denoiser, LoopShape shape, Cutting cutting, List<Division> cuts, CutNetwork network,
    Map<String, Integer> apart, boolean lows) {
    /** Of latents, [rows, channels, height, width]. */
    private static final int HEIGHT = 2;

    /**
     * The denoiser in one piece.
     *
     * @param rows of the batch
     * @param graph in the denoiser's precision
     */
    record Whole(DenoiserGraph denoiser, LoopShape shape, long rows, Graph graph) {
        /** @throws GraphException if the graph does not take these sizes or this batch */
        static Whole of(DenoiserGraph denoiser, LoopShape shape, long rows) {
            return new Whole(denoiser, shape, rows, fixed(denoiser, shape, rows));
        }
    }

    /**
     * Cuts it.
     *
     * @param cuts that cross each other; asked for where the graph is neither in patches nor in parts for them
     * @param lows whether a segment is to make the low frequencies of the prediction
     * @throws GraphException if it cannot be cut so
     */
    static FixedDenoiser of(Whole whole, Cutting cutting, Supplier<List<Division>> cuts, boolean lows) {
        FixedDenoiser cut = switch (cutting) {
            case Cutting.Patched patched -> patched(whole, patched);
            case Cutting.Pipe pipe -> piped(whole.denoiser(), whole.shape(), whole.graph(), pipe);
            default -> of(whole.denoiser(), whole.shape(), whole.graph(), cutting, cuts.get());
        };
        return lows ? cut.withLows() : cut;
    }

    /** The same, cut in the same way, for another number of rows. */
    FixedDenoiser with(Whole other) {
        return of(other, cutting, () -> cuts, lows);
    }

    /** With one more segment, of the component that predicts. @throws PlanException if the prediction is in patches */
    private FixedDenoiser withLows() {
        if (cutting instanceof Cutting.Patched || cutting instanceof Cutting.Pipe) {
            throw new PlanException("patches have no low frequencies of the whole picture; take keep=difference for "
                + "guidance, or a plan without patches");
        }
        String prediction = denoiser.ports().prediction();
        TensorType type = network.types().get(prediction);
        Segment predicting = network.segments().stream().filter(segment -> segment.outputs().contains(prediction))
            .findFirst().orElseThrow();
        List<Segment> segments = new ArrayList<>(network.segments());
        Graph low = StaticShapes.fix(LowPass.of(prediction, type, GuidanceSchedule.low(prediction)),
            Map.of(prediction, type));
        segments.add(new Segment("low", predicting.component(), low));
        Map<String, TensorType> types = new HashMap<>(network.types());
        types.put(GuidanceSchedule.low(prediction), type);
        return new FixedDenoiser(denoiser, shape, cutting, cuts, new CutNetwork(network.whole(), segments, types,
            network.residuals(), network.former(), network.fresh()), apart, true);
    }

    /** @throws PlanException if it is no transformer, or something is joined with it */
    private static FixedDenoiser piped(DenoiserGraph denoiser, LoopShape shape, Graph fixed, Cutting.Pipe pipe) {
        if (ShellCut.isPossible(fixed)) {
            throw new PlanException("pipefusion is for transformers, and denoiser " + denoiser.name()
                + " is a U-Net; take patches");
        }
        if (!denoiser.joined().isEmpty()) {
            throw new PlanException("pipefusion does not divide what is joined with a denoiser: "
                + String.join(", ", denoiser.joined()));
        }
        long rows = shape.latents().shape().dim(HEIGHT) / denoiser.sideMultiple();
        PipeNetwork network = PipeNetwork.of(fixed, new Picture(denoiser.ports().sample(), HEIGHT, rows), pipe.parts(),
            pipe.patches());
        List<Segment> segments = new ArrayList<>();
        for (int part = 0; part < pipe.parts(); part++) {
            segments.add(network.whole().get(part).of(pipe.whole(part)));
        }
        segments.add(network.division().of(pipe.division()));
        for (int patch = 0; patch < network.patches().size(); patch++) {
            for (int part = 0; part < pipe.parts(); part++) {
                segments.add(network.parts().get(part).get(patch).of(pipe.patch(part, patch)));
            }
        }
        segments.add(network.assembly().of(pipe.assembly()));
        Map<String, TensorType> types = new HashMap<>(ValueInfos.types(fixed));
        segments.forEach(segment -> types.putAll(ValueInfos.types(segment.graph())));
        return new FixedDenoiser(denoiser, shape, pipe, List.of(), new CutNetwork(fixed, segments, types, Map.of(),
            Map.of(), Set.of()), Map.of(), false);
    }

    private static Graph fixed(DenoiserGraph denoiser, LoopShape shape, long rows) {
        denoiser.requireRows(rows);
        return denoiser.rewrite().apply(StaticShapes.fix(denoiser.graph(), inputs(denoiser, shape, rows)));
    }

    /** Finds out, without fixing anything, whether the graph takes these sizes. */
    static void check(DenoiserGraph denoiser, LoopShape shape, long rows) {
        denoiser.requireRows(rows);
        InputTypes.check(denoiser.graph(), inputs(denoiser, shape, rows));
    }

    private static FixedDenoiser patched(Whole whole, Cutting.Patched cutting) {
        CutNetwork network = new PatchCut(whole.denoiser(), cutting).of(whole.shape(), whole.graph(),
            (graph, sizes) -> fixed(graph, sizes, whole.rows()));
        return new FixedDenoiser(whole.denoiser(), whole.shape(), cutting, List.of(), network, Map.of(), false);
    }

    private static FixedDenoiser of(DenoiserGraph denoiser, LoopShape shape, Graph fixed, Cutting cutting,
        List<Division> cuts) {
        Map<String, Integer> apart = new HashMap<>();
        denoiser.joined().forEach(module -> own(cuts, module, denoiser.joined())
            .ifPresent(component -> apart.put(module, component)));
        Set<String> laggable = Set.of(denoiser.ports().sample());
        Graph made = cutting instanceof Cutting.Shell(int depth, boolean measured) && measured
            ? FirstBlock.measured(fixed, laggable, Cutting.Shell.ADDED) : fixed;
        Partition partition = cuts.isEmpty() ? whole(denoiser, made)
            : Splitter.splitCrossing(made, cuts, laggable);
        Map<String, String> residuals = new HashMap<>();
        cuts.forEach(cut -> residuals.putAll(cut.residuals()));
        return new FixedDenoiser(denoiser, shape, cutting, cuts, CutNetwork.of(partition, residuals), apart, false);
    }

    /** The component that a module has to itself; of crossing cuts only where it is in none of any. */
    private static OptionalInt own(List<Division> cuts, String module, List<String> joined) {
        return switch (cuts.size()) {
            case 0 -> OptionalInt.of(-1 - joined.indexOf(module));
            case 1 -> cuts.getFirst().own(module);
            default -> cuts.stream().map(cut -> cut.own(module)).filter(own -> own.isPresent() && own.getAsInt() < 0)
                .findFirst().orElse(OptionalInt.empty());
        };
    }

    /** One segment, and one for each module that is joined with it. */
    private static Partition whole(DenoiserGraph denoiser, Graph fixed) {
        if (denoiser.joined().isEmpty()) {
            return new Partition(fixed, List.of(new Segment(denoiser.name(), 0, fixed)));
        }
        Partition cut = Splitter.splitOff(fixed, denoiser.joined(), Set.of(denoiser.ports().sample()));
        return new Partition(fixed, cut.segments().stream().map(segment -> segment.component() < 0 ? segment
            : new Segment(segment.name().replaceFirst("^c0", denoiser.name()), 0, segment.graph())).toList());
    }

    /** Bands of rows of the latents that go through the loop one by one; none where the latents stay whole. */
    List<Band> bands() {
        if (!(cutting instanceof Cutting.Pipe pipe)) {
            return List.of();
        }
        List<String> samples = segment(pipe.division()).outputs();
        List<String> predictions = segment(pipe.assembly()).inputs();
        return IntStream.range(0, samples.size()).mapToObj(band -> new Band(samples.get(band), predictions.get(band)))
            .toList();
    }

    private Segment segment(int component) {
        return network.segments().stream().filter(segment -> segment.component() == component).findFirst()
            .orElseThrow();
    }

    private static Map<String, TensorType> inputs(DenoiserGraph denoiser, LoopShape shape, long rows) {
        DenoiserPorts ports = denoiser.ports();
        Map<String, TensorType> inputs = new LinkedHashMap<>();
        for (ValueInfoProto input : denoiser.graph().inputs()) {
            String name = input.getName();
            if (name.equals(ports.sample())) {
                inputs.put(name, shape.sample(rows));
            } else if (name.equals(ports.timestep())) {
                inputs.put(name, timestep(denoiser, input, rows));
            } else {
                TensorType type = shape.conditions().get(name);
                if (type == null) {
                    throw new GraphException("denoiser " + denoiser.name() + " needs the input '" + name
                        + "', which was not given; given are " + shape.conditions().keySet());
                }
                inputs.put(name, LoopShape.withRows(type, rows));
            }
        }
        return inputs;
    }

    /** Exporters write the timestep as a scalar, as one element, or as one element a row. */
    private static TensorType timestep(DenoiserGraph denoiser, ValueInfoProto input, long rows) {
        DataType type = InputTypes.element(input);
        var dims = input.getType().getTensorType().getShape().getDimList();
        if (dims.isEmpty()) {
            return new TensorType(type, Shape.of());
        }
        ValueInfoProto sample = denoiser.graph().inputs().stream()
            .filter(it -> it.getName().equals(denoiser.ports().sample())).findFirst().orElseThrow();
        String batch = sample.getType().getTensorType().getShape().getDim(0).getDimParam();
        boolean oneEach = !dims.getFirst().getDimParam().isEmpty() && dims.getFirst().getDimParam().equals(batch);
        return TensorType.of(type, oneEach ? rows : Math.max(1, dims.getFirst().getDimValue()));
    }
}
