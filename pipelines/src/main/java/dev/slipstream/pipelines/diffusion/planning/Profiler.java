package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.cost.MachineProfile;
import dev.slipstream.pipelines.cost.Profile;
import dev.slipstream.pipelines.cost.Profile.Sample;
import dev.slipstream.pipelines.cost.Workload;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.DenoiserGraph;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.LoopShape;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.planning.PlanEvaluator.Loop;
import dev.slipstream.pipelines.graph.cut.Cut;
import dev.slipstream.pipelines.graph.cut.Cuts;
import dev.slipstream.pipelines.graph.tensor.ValueInfos;
import dev.slipstream.pipelines.plan.Sequential;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.pipelines.run.timeline.Timeline.Activity;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Measures how long the modules of a denoiser take on devices: it is cut into single modules, and these run one after
 * another, as in a loop, so that caches are as cold as there.
 */
public final class Profiler {
    private static final int STEPS = 6;
    private static final int WARM_UPS = 2;
    private static final int RUNS = 7;

    private final Loop loop;
    private final String model;

    /** @param model what the profile says that it is of */
    public Profiler(Loop loop, String model) {
        this.loop = loop;
        this.model = model;
    }

    /**
     * Measures; takes as long as building the engines of the model a few times, and a few loops.
     *
     * @param devices the caller's; those of the same description are measured once
     */
    public MachineProfile measure(List<Device> devices) {
        Map<String, Profile> kinds = new HashMap<>();
        for (Device device : devices) {
            kinds.computeIfAbsent(device.description(), key -> profile(device));
        }
        List<Profile> profiles = devices.stream().map(device -> kinds.get(device.description())).toList();
        Link link = devices.size() < 2 ? new Link(1, 0) : link(devices.subList(0, 2));
        return new MachineProfile(MachineProfile.FORMAT, LocalDate.now().toString(), model,
            loop.denoiser().precision().toString(), loop.shape().latents().shape().toString(), profiles,
            link.bytesPerNano, link.latencyNanos, hostNanos(devices.getFirst()));
    }

    private Profile profile(Device device) {
        List<Sample> samples = new ArrayList<>(samples(device, loop.shape()));
        if (loop.shape().guided()) {
            samples.addAll(samples(device, half(loop.shape())));
        }
        return Profile.fit(device.description(), device.memory().freeBytes(), samples);
    }

    /** Without guidance, as each branch has it where guidance is split. */
    private static LoopShape half(LoopShape shape) {
        Map<String, TensorType> conditions = new HashMap<>();
        shape.conditions().forEach((name, type) ->
            conditions.put(name, LoopShape.withRows(type, type.shape().dim(0) / 2)));
        return new LoopShape(shape.latents(), shape.extraChannels(), false, conditions);
    }

    private List<Sample> samples(Device device, LoopShape shape) {
        DenoiserGraph whole = loop.denoiser();
        Cut cut = Cuts.singleModules(whole.graph(), Set.of(whole.ports().sample()));
        List<String> modules = cut.components().stream().map(List::getFirst).toList();
        DenoiserGraph single = new DenoiserGraph(whole.name(), whole.graph(), whole.config(), List.of(cut))
            .withPrecision(whole.precision());
        PartitionedDenoiser partitioned = PartitionedDenoiser.of(single, shape, new Sequential(), modules.size());
        List<Sample> samples = new ArrayList<>();
        stageNanos(partitioned, Collections.nCopies(modules.size(), device)).forEach((stage, nanos) ->
            samples.add(new Sample(modules.get(partitioned.segment(stage).component()), Workload.byModule(
                ValueInfos.withTypes(partitioned.segment(stage).graph(), partitioned.types(stage))), nanos)));
        return samples;
    }

    private Map<Integer, Double> stageNanos(PartitionedDenoiser partitioned, List<Device> devices) {
        Map<Integer, List<Long>> times = new TreeMap<>();
        traced(partitioned, devices).forEach(timeline -> timeline.medianBusyNanos()
            .forEach((stage, nanos) -> times.computeIfAbsent(stage, key -> new ArrayList<>()).add(nanos)));
        Map<Integer, Double> medians = new TreeMap<>();
        times.forEach((stage, all) -> medians.put(stage, (double) all.stream().sorted().toList().get(all.size() / 2)));
        return medians;
    }

    private List<Timeline> traced(PartitionedDenoiser partitioned, List<Device> devices) {
        List<Timeline> timelines = new ArrayList<>();
        try (Denoiser denoiser = Denoiser.build(partitioned, devices);
            Execution execution = denoiser.prepare(fewSteps(), loop.guidance(),
                LoopOptions.DEFAULT.withTrace(true)); Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> given = zeros(execution.program(), arena);
            for (int run = 0; run < WARM_UPS + RUNS; run++) {
                execution.run(given, LoopObserver.NONE);
                if (run >= WARM_UPS) {
                    timelines.add(execution.timeline());
                }
            }
        }
        return timelines;
    }

    private NoiseTable fewSteps() {
        NoiseTable noise = loop.noise();
        return noise.withRows(noise.rows().subList(0, Math.min(STEPS, noise.steps())));
    }

    /** Bytes a nanosecond between two devices, and what a copy takes beside that. */
    private record Link(double bytesPerNano, long latencyNanos) {
    }

    private Link link(List<Device> devices) {
        PartitionedDenoiser halves = PartitionedDenoiser.of(loop.denoiser(), loop.shape(), new Sequential(), 2);
        List<double[]> copies = traced(halves, devices).stream().flatMap(timeline -> timeline.spans().stream())
            .filter(span -> span.activity() instanceof Activity.Copy(int from, int to, long bytes) && from != to)
            .map(span -> new double[] {((Activity.Copy) span.activity()).bytes(), span.busyNanos()}).toList();
        double bytes = copies.stream().mapToDouble(copy -> copy[0]).average().orElse(0);
        double nanos = copies.stream().mapToDouble(copy -> copy[1]).average().orElse(0);
        double slope = 0;
        double square = 0;
        for (double[] copy : copies) {
            slope += (copy[0] - bytes) * (copy[1] - nanos);
            square += (copy[0] - bytes) * (copy[0] - bytes);
        }
        double perByte = square == 0 || slope <= 0 ? nanos / Math.max(1, bytes) : slope / square;
        return new Link(1 / Math.max(perByte, 1e-6), Math.max(0, Math.round(nanos - perByte * bytes)));
    }

    private long hostNanos(Device device) {
        PartitionedDenoiser whole = PartitionedDenoiser.of(loop.denoiser(), loop.shape(), new Sequential(), 1);
        try (Denoiser denoiser = Denoiser.build(whole, List.of(device));
            Execution execution = denoiser.prepare(fewSteps(), loop.guidance(), LoopOptions.DEFAULT);
            Arena arena = Arena.ofShared()) {
            Map<String, MemorySegment> given = zeros(execution.program(), arena);
            for (int run = 0; run < WARM_UPS; run++) {
                execution.run(given, LoopObserver.NONE);
            }
            long nanos = IntStream.range(0, execution.program().steps()).mapToLong(execution::queueNanos).sorted()
                .skip(execution.program().steps() / 2).findFirst().orElseThrow();
            return nanos * execution.program().steps() / execution.program().instructions().size();
        }
    }

    /** The inputs of a program, as zeros: time does not depend on the values. */
    private static Map<String, MemorySegment> zeros(Program program, Arena arena) {
        Map<String, MemorySegment> zeros = new HashMap<>();
        program.givenBytes().forEach((name, bytes) -> zeros.put(name, arena.allocate(bytes, 64)));
        return zeros;
    }
}
