package dev.slipstream.pipelines.diffusion;

import ai.onnx.proto.OnnxMl.ValueInfoProto;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.Shape;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Cut;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.Partition;
import dev.slipstream.pipelines.graph.Segment;
import dev.slipstream.pipelines.graph.Splitter;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.graph.shape.InputTypes;
import dev.slipstream.pipelines.graph.shape.StaticShapes;
import dev.slipstream.pipelines.graph.shape.ValueInfos;
import dev.slipstream.pipelines.plan.Branch;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.DenoiserPorts;
import dev.slipstream.pipelines.run.Estimates;
import dev.slipstream.pipelines.run.Guidance;
import dev.slipstream.pipelines.run.LoopSpec;
import dev.slipstream.pipelines.run.NoiseTable;
import dev.slipstream.pipelines.run.Program;
import dev.slipstream.pipelines.run.UnrollOptions;
import dev.slipstream.pipelines.run.Unroller;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A denoiser fixed to sizes, cut and placed, with nothing built yet: enough to print a plan, to estimate memory and to
 * unroll programs. Immutable.
 */
public final class Blueprint {
    /** Protobuf nodes, and the type of what they make; measured with the UNet of Stable Diffusion. */
    private static final long HEAP_BYTES_A_NODE = 2500;

    private final DenoiserModel model;
    private final LoopShape shape;
    private final Plan plan;
    private final Map<Branch, Cutting> cuttings;

    private Blueprint(DenoiserModel model, LoopShape shape, Plan plan, Map<Branch, Cutting> cuttings) {
        this.model = model;
        this.shape = shape;
        this.plan = plan;
        this.cuttings = Map.copyOf(cuttings);
    }

    /**
     * Fixes the shapes, cuts the graph and makes the plan.
     *
     * @throws GraphException if the graph does not take these sizes or this batch, or cannot be cut so
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     */
    public static Blueprint draw(DenoiserModel model, LoopShape shape, Strategy strategy, int devices) {
        int components = strategy.components(devices);
        long rows = rows(shape, strategy);
        model.requireRows(rows);
        Cutting cutting = cut(model, shape, strategy, components, rows);
        Plan plan = strategy.plan(cutting.outlines(), model.ports().prediction(), devices, shape.guided());
        Map<Branch, Cutting> cuttings = new HashMap<>();
        plan.stages().forEach(stage -> cuttings.put(stage.branch(), cutting));
        return new Blueprint(model, shape, plan, cuttings);
    }

    /**
     * Finds out, without fixing or cutting anything, whether the graph takes these sizes and the plan what is wanted.
     *
     * @throws GraphException if the graph does not take these sizes or this batch
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices or the guidance
     */
    static void check(DenoiserModel model, LoopShape shape, Strategy strategy, int devices) {
        strategy.check(devices, shape.guided());
        long rows = rows(shape, strategy);
        model.requireRows(rows);
        InputTypes.check(model.graph(), inputs(model, shape, rows));
    }

    private static long rows(LoopShape shape, Strategy strategy) {
        return shape.latents().shape().dim(0) * (shape.guided() && !strategy.splitsGuidance() ? 2 : 1);
    }

    private static Cutting cut(DenoiserModel model, LoopShape shape, Strategy strategy, int components, long rows) {
        Map<String, TensorType> inputs = inputs(model, shape, rows);
        Graph fixed = model.rewrite().apply(StaticShapes.fix(model.graph(), inputs));
        Map<String, TensorType> types = ValueInfos.types(fixed);
        if (components == 1) {
            return new Cutting(new Partition(fixed, List.of(new Segment(model.name(), 0, fixed))), types);
        }
        // Lag shows where the cut is, so it must not depend on how many pictures are drawn together.
        Cut cut = new DenoiserModel(model.name(), fixed, model.config(), model.cuts())
            .cut(strategy.cut(), components, Costs.ofItem(fixed, shape.batch()));
        return new Cutting(Splitter.split(fixed, cut, Set.of(model.ports().sample())), types);
    }

    private static Map<String, TensorType> inputs(DenoiserModel model, LoopShape shape, long rows) {
        DenoiserPorts ports = model.ports();
        Map<String, TensorType> inputs = new LinkedHashMap<>();
        for (ValueInfoProto input : model.graph().inputs()) {
            String name = input.getName();
            if (name.equals(ports.sample())) {
                inputs.put(name, shape.sample(rows));
            } else if (name.equals(ports.timestep())) {
                inputs.put(name, timestep(model, input, rows));
            } else {
                TensorType type = shape.conditions().get(name);
                if (type == null) {
                    throw new GraphException("denoiser " + model.name() + " needs the input '" + name
                        + "', which was not given; given are " + shape.conditions().keySet());
                }
                inputs.put(name, LoopShape.withRows(type, rows));
            }
        }
        return inputs;
    }

    /** Exporters write the timestep as a scalar, as one element, or as one element a row. */
    private static TensorType timestep(DenoiserModel model, ValueInfoProto input, long rows) {
        DataType type = InputTypes.element(input);
        var dims = input.getType().getTensorType().getShape().getDimList();
        if (dims.isEmpty()) {
            return new TensorType(type, Shape.of());
        }
        ValueInfoProto sample = model.graph().inputs().stream()
            .filter(it -> it.getName().equals(model.ports().sample())).findFirst().orElseThrow();
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

    public DenoiserModel model() {
        return model;
    }

    /** The segment that a stage runs, with its graph. */
    public Segment segment(int stage) {
        return cuttings.get(plan.stages().get(stage).branch()).segment(plan.stages().get(stage).segment());
    }

    /** The types of the tensors of a stage's branch. */
    public Map<String, TensorType> types(int stage) {
        return cuttings.get(plan.stages().get(stage).branch()).types();
    }

    /** Bytes of the weights of the segment that a stage runs. */
    public long segmentWeightBytes(int stage) {
        return segment(stage).graph().weightBytes();
    }

    /** Multiply-accumulates of one run of a stage. */
    public double multiplyAccumulates(int stage) {
        Costs costs = Costs.of(cuttings.get(plan.stages().get(stage).branch()).partition().whole());
        return segment(stage).graph().nodes().stream().mapToDouble(costs::multiplyAccumulates).sum();
    }

    /** Bytes of the weights that a device holds. Stages of one segment and branch size share them. */
    public long weightBytes(int device) {
        return plan.stages().stream().filter(stage -> stage.device() == device)
            .map(stage -> cuttings.get(stage.branch()).segment(stage.segment()).graph()).distinct()
            .mapToLong(Graph::weightBytes).sum();
    }

    /** An estimate of what the graphs take of the heap; weights are in files or shared with the model. */
    long heapBytes() {
        return HEAP_BYTES_A_NODE * cuttings.values().stream().distinct().mapToLong(cutting ->
            Stream.concat(Stream.of(cutting.partition().whole()), cutting.partition().segments().stream()
                .map(Segment::graph)).distinct().mapToLong(graph -> graph.nodes().size()).sum()).sum();
    }

    /**
     * An estimate of the work space that engines need on a device: the largest live activations of a segment.
     *
     * @param form in which the device is given the segments
     */
    public long workBytes(int device, DeviceForm form) {
        return IntStream.range(0, plan.stages().size()).filter(stage -> plan.stages().get(stage).device() == device)
            .mapToLong(stage -> form.workBytes(segment(stage).graph())).max().orElse(0);
    }

    /**
     * Unrolls the plan for a noise table.
     *
     * @param keepLatents whether the latents of every step stay readable after a run
     * @param estimates after which steps the clean image that the step expects is readable
     * @param options what suits the devices that it is for
     */
    public Program program(NoiseTable noise, Guidance guidance, boolean keepLatents, Estimates estimates,
        UnrollOptions options) {
        Map<Branch, Map<String, TensorType>> types = new HashMap<>();
        cuttings.forEach((branch, cutting) -> types.put(branch, cutting.types()));
        return Unroller.unroll(plan, new LoopSpec(model.ports(), noise, guidance, shape.latents(), types, keepLatents,
            estimates), options);
    }
}
