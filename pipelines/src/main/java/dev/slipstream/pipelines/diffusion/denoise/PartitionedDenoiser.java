package dev.slipstream.pipelines.diffusion.denoise;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.Partition;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.cut.Splitter;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.SegmentOutline;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.DenoiserPorts;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.Rests;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A denoiser fixed to sizes, cut and placed, with nothing built yet: enough to print a plan, to estimate memory and to
 * unroll programs. Immutable.
 */
public final class PartitionedDenoiser {
    private final DenoiserGraph denoiser;
    private final LoopShape shape;
    private final Plan plan;
    private final Partition partition;
    private final Map<String, TensorType> types;
    private final Map<String, Integer> apart;

    private PartitionedDenoiser(DenoiserGraph denoiser, LoopShape shape, Plan plan, Partition partition,
        Map<String, TensorType> types, Map<String, Integer> apart) {
        this.denoiser = denoiser;
        this.shape = shape;
        this.plan = plan;
        this.partition = partition;
        this.types = types;
        this.apart = apart;
    }

    /**
     * Fixes the shapes, cuts the graph and makes the plan.
     *
     * @throws GraphException if the graph does not take these sizes or this batch, or cannot be cut so
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     */
    public static PartitionedDenoiser of(DenoiserGraph denoiser, LoopShape shape, Strategy strategy, int devices) {
        int components = strategy.components(devices);
        long rows = rows(shape, strategy);
        denoiser.requireRows(rows);
        Graph fixed = denoiser.rewrite().apply(StaticShapes.fix(denoiser.graph(), inputs(denoiser, shape, rows)));
        Map<String, Integer> apart = new HashMap<>();
        Partition partition = cut(denoiser, fixed, shape, strategy, components, apart);
        Plan plan = strategy.plan(outlines(partition), denoiser.ports().prediction(), devices, shape.guided());
        return new PartitionedDenoiser(denoiser, shape, plan, partition, ValueInfos.types(fixed), apart);
    }

    /**
     * Finds out, without fixing or cutting anything, whether the graph takes these sizes and the plan what is wanted.
     *
     * @throws GraphException if the graph does not take these sizes or this batch
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices or the guidance
     */
    public static void check(DenoiserGraph denoiser, LoopShape shape, Strategy strategy, int devices) {
        strategy.check(devices, shape.guided());
        long rows = rows(shape, strategy);
        denoiser.requireRows(rows);
        InputTypes.check(denoiser.graph(), inputs(denoiser, shape, rows));
    }

    private static long rows(LoopShape shape, Strategy strategy) {
        return shape.latents().shape().dim(0) * (shape.guided() && !strategy.splitsGuidance() ? 2 : 1);
    }

    /**
     * @param fixed the denoiser's graph for these shapes
     * @param apart gets the component of each joined module that has one to itself
     */
    private static Partition cut(DenoiserGraph denoiser, Graph fixed, LoopShape shape, Strategy strategy,
        int components, Map<String, Integer> apart) {
        if (components == 1) {
            denoiser.joined().forEach(module -> apart.put(module, -1 - denoiser.joined().indexOf(module)));
            return whole(denoiser, fixed);
        }
        // Lag shows where the cut is, so it must not depend on how many pictures are drawn together.
        Cut cut = denoiser.with(fixed)
            .cut(strategy.cut(), strategy.shellDepth(), components, Costs.ofItem(fixed, shape.batch()));
        denoiser.joined().forEach(module -> cut.own(module).ifPresent(component -> apart.put(module, component)));
        return Splitter.split(fixed, cut, Set.of(denoiser.ports().sample()));
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

    private static List<SegmentOutline> outlines(Partition partition) {
        return partition.segments().stream().map(segment -> new SegmentOutline(segment.name(), segment.component(),
            names(segment.graph().inputs()), names(segment.graph().outputs()))).toList();
    }

    private static List<String> names(List<ValueInfoProto> values) {
        return values.stream().map(ValueInfoProto::getName).toList();
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

    public Plan plan() {
        return plan;
    }

    public LoopShape shape() {
        return shape;
    }

    public DenoiserGraph denoiser() {
        return denoiser;
    }

    /** The segment that a stage runs, with its graph. */
    public Segment segment(int stage) {
        return partition.segments().get(plan.stages().get(stage).segment());
    }

    /** The types of all tensors; those of guidance branches that are apart are the same. */
    public Map<String, TensorType> types() {
        return types;
    }

    /** Bytes of the weights of the segment that a stage runs. */
    public long segmentWeightBytes(int stage) {
        return segment(stage).graph().weightBytes();
    }

    /** Multiply-accumulates of one run of a stage. */
    public double multiplyAccumulates(int stage) {
        return Costs.multiplyAccumulates(segment(stage).graph());
    }

    /** Bytes of the weights that a device holds. Stages of one segment share them. */
    public long weightBytes(int device) {
        return stages(device).mapToObj(stage -> segment(stage).graph()).distinct().mapToLong(Graph::weightBytes).sum();
    }

    /**
     * An estimate of what these weights take of a device's memory. Those that it has in common with devices before it
     * are counted there.
     *
     * @param forms in which the devices are given the segments
     */
    public long weightBytes(int device, List<DeviceForm> forms) {
        DeviceForm form = forms.get(device);
        Set<Graph> before = IntStream.range(0, device).filter(other -> forms.get(other) == form)
            .boxed().flatMap(other -> stages(other).mapToObj(stage -> segment(stage).graph()))
            .collect(Collectors.toSet());
        return stages(device).mapToObj(stage -> segment(stage).graph()).distinct()
            .filter(graph -> !before.contains(graph) || !form.sharesWeights(graph)).mapToLong(form::weightBytes).sum();
    }

    /**
     * An estimate of the work space that engines need on a device: the largest live activations of a segment.
     *
     * @param form in which the device is given the segments
     */
    public long workBytes(int device, DeviceForm form) {
        return stages(device).mapToLong(stage -> form.workBytes(segment(stage).graph())).max().orElse(0);
    }

    private IntStream stages(int device) {
        return IntStream.range(0, plan.stages().size()).filter(stage -> plan.stages().get(stage).device() == device);
    }

    /** An estimate of what the graphs take of the heap. */
    public long heapBytes() {
        return Stream.concat(Stream.of(partition.whole()), partition.segments().stream().map(Segment::graph))
            .distinct().mapToLong(MemoryNeed::heapBytes).sum();
    }

    /** As {@link #program(NoiseTable, Guidance, boolean, Estimates, Map, UnrollOptions)}, where all modules run. */
    public Program program(NoiseTable noise, Guidance guidance, boolean keepLatents, Estimates estimates,
        UnrollOptions options) {
        return program(noise, guidance, keepLatents, estimates, Map.of(), options);
    }

    /**
     * Unrolls the plan for a noise table.
     *
     * @param keepLatents whether the latents of every step stay readable after a run
     * @param estimates after which steps the clean image that the step expects is readable
     * @param rests the steps at which modules that are joined with the model do not run
     * @param options what suits the devices that it is for
     * @throws PlanException if a module would rest that shares a component with others
     */
    public Program program(NoiseTable noise, Guidance guidance, boolean keepLatents, Estimates estimates,
        Map<String, Set<Integer>> rests, UnrollOptions options) {
        Map<Branch, Map<String, TensorType>> byBranch = new EnumMap<>(Branch.class);
        plan.stages().forEach(stage -> byBranch.put(stage.branch(), types));
        return Unroller.unroll(plan, new LoopSpec(denoiser.ports(), noise, guidance, shape.latents(), byBranch,
            keepLatents, estimates, rests(rests)), options);
    }

    private Rests rests(Map<String, Set<Integer>> modules) {
        Map<Integer, Set<Integer>> steps = new HashMap<>();
        modules.forEach((module, at) -> {
            if (!apart.containsKey(module)) {
                throw new PlanException("the cut for plan " + plan.strategy() + " puts " + module + " into a component "
                    + "with other modules, so that it cannot rest at some steps; let it have a component to itself, "
                    + "or leave it out of the cut");
            }
            steps.put(apart.get(module), at);
        });
        return new Rests(steps);
    }
}
