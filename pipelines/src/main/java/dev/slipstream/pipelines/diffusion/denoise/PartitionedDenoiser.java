package dev.slipstream.pipelines.diffusion.denoise;

import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.graph.Graph;
import dev.slipstream.pipelines.graph.GraphException;
import dev.slipstream.pipelines.graph.cut.Segment;
import dev.slipstream.pipelines.graph.shape.Costs;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Strategy.Cutting;
import dev.slipstream.pipelines.plan.Strategy;
import dev.slipstream.pipelines.run.loop.Estimates;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.KeptLatents;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.loop.Rests;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.unroll.UnrollOptions;
import dev.slipstream.pipelines.run.unroll.Unroller;
import java.util.EnumMap;
import java.util.HashMap;
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
    private final Plan plan;
    private final FixedDenoiser fixed;
    /** For stages that compute the conditional rows alone where others compute all. */
    private final FixedDenoiser half;

    private PartitionedDenoiser(Plan plan, FixedDenoiser fixed, FixedDenoiser half) {
        this.plan = plan;
        this.fixed = fixed;
        this.half = half;
    }

    /**
     * Fixes the shapes, cuts the graph and makes the plan.
     *
     * @throws GraphException if the graph does not take these sizes or this batch, or cannot be cut so
     * @throws dev.slipstream.pipelines.plan.PlanException if the strategy does not fit the devices
     */
    public static PartitionedDenoiser of(DenoiserGraph denoiser, LoopShape shape, Strategy strategy, int devices) {
        return of(new SizedDenoiser(denoiser, shape), strategy, devices);
    }

    /** The same, where several plans for one loop have much in common. */
    public static PartitionedDenoiser of(SizedDenoiser sized, Strategy strategy, int devices) {
        long rows = sized.shape().rows(strategy);
        Cutting cutting = strategy.cutting(devices);
        FixedDenoiser fixed = sized.cut(rows, cutting, strategy.partsFrequencies());
        Plan plan = strategy.plan(fixed.network().outlines(), sized.denoiser().ports().prediction(), devices,
            sized.shape().guided());
        boolean halves = IntStream.range(0, plan.stages().size()).anyMatch(stage -> plan.whole(stage).isPresent());
        return new PartitionedDenoiser(plan, fixed,
            halves ? half(fixed, sized.half(rows, cutting, strategy.partsFrequencies())) : fixed);
    }

    /** @throws PlanException if half of the rows are not half of each tensor between segments */
    private static FixedDenoiser half(FixedDenoiser fixed, FixedDenoiser half) {
        if (!half.network().outlines().equals(fixed.network().outlines())) {
            throw new PlanException("denoiser " + fixed.denoiser().name() + " falls into other segments for half of "
                + "the rows, so it cannot predict with the text alone at some steps");
        }
        fixed.network().edges().forEach(tensor -> {
            TensorType all = fixed.network().types().get(tensor);
            if (all.shape().rank() == 0
                || !LoopShape.withRows(all, all.shape().dim(0) / 2).equals(half.network().types().get(tensor))) {
                throw new PlanException("denoiser " + fixed.denoiser().name() + " cannot predict with the text alone "
                    + "at some steps: " + tensor + " is " + all + " between its segments, and "
                    + half.network().types().get(tensor) + " for half of the rows");
            }
        });
        return half;
    }

    public Plan plan() {
        return plan;
    }

    public LoopShape shape() {
        return fixed.shape();
    }

    public DenoiserGraph denoiser() {
        return fixed.denoiser();
    }

    /** The segment that a stage runs, with its graph. */
    public Segment segment(int stage) {
        return fixed(stage).network().segments().get(plan.stages().get(stage).segment());
    }

    /** The types of all tensors that a stage may read and write. */
    public Map<String, TensorType> types(int stage) {
        return fixed(stage).network().types();
    }

    private FixedDenoiser fixed(int stage) {
        return plan.whole(stage).isPresent() ? half : fixed;
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
        return Stream.of(fixed, half).distinct().map(FixedDenoiser::network).flatMap(network ->
            Stream.concat(Stream.of(network.whole()), network.segments().stream().map(Segment::graph))).distinct()
            .mapToLong(MemoryNeed::heapBytes).sum();
    }

    /** As {@link #program(NoiseTable, Guidance, KeptLatents, Estimates, Map, UnrollOptions)}, where all modules run. */
    public Program program(NoiseTable noise, Guidance guidance, KeptLatents kept, Estimates estimates,
        UnrollOptions options) {
        return program(noise, guidance, kept, estimates, Map.of(), options);
    }

    /**
     * Unrolls the plan for a noise table.
     *
     * @param kept after which steps latents stay readable after a run
     * @param estimates after which steps the clean image that the step expects is readable
     * @param rests the steps at which modules that are joined with the model do not run
     * @param options what suits the devices that it is for
     * @throws PlanException if a module would rest that shares a component with others
     */
    public Program program(NoiseTable noise, Guidance guidance, KeptLatents kept, Estimates estimates,
        Map<String, Set<Integer>> rests, UnrollOptions options) {
        Map<Branch, Map<String, TensorType>> byBranch = new EnumMap<>(Branch.class);
        IntStream.range(0, plan.stages().size())
            .forEach(stage -> byBranch.put(plan.stages().get(stage).branch(), types(stage)));
        return Unroller.unroll(plan, new LoopSpec(denoiser().ports(), noise, guidance, shape().latents(), byBranch,
            kept, estimates, rests(rests), fixed.bands()), options);
    }

    private Rests rests(Map<String, Set<Integer>> modules) {
        Map<Integer, Set<Integer>> steps = new HashMap<>();
        modules.forEach((module, at) -> {
            if (!fixed.apart().containsKey(module)) {
                throw new PlanException("the cut for plan " + plan.strategy() + " puts " + module + " into a component "
                    + "with other modules, so that it cannot rest at some steps; let it have a component to itself, "
                    + "or leave it out of the cut");
            }
            steps.put(fixed.apart().get(module), at);
        });
        return new Rests(steps);
    }
}
