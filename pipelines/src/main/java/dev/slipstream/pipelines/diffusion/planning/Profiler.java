package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.bridge.Buffer;
import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.cost.MachineProfile.Link;
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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
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
     * @param specs what a pipeline calls them
     */
    public MachineProfile measure(List<Device> devices, List<String> specs) {
        Map<String, Profile> kinds = new HashMap<>();
        for (Device device : devices) {
            kinds.computeIfAbsent(device.description(), key -> profile(device));
        }
        List<Profile> profiles = devices.stream().map(device -> kinds.get(device.description())).toList();
        return new MachineProfile(MachineProfile.FORMAT, LocalDate.now().toString(), model,
            Fingerprint.of(loop.denoiser()), loop.shape().latents().shape().toString(), specs, profiles,
            Copies.links(devices), hostNanos(devices.getFirst()));
    }

    private Profile profile(Device device) {
        List<LoopShape> shapes = loop.shape().guided() ? List.of(loop.shape(), half(loop.shape()))
            : List.of(loop.shape());
        List<Sample> samples = new ArrayList<>();
        List<Sample> wholes = new ArrayList<>();
        for (LoopShape shape : shapes) {
            samples.addAll(samples(device, shape));
            wholes.add(whole(device, shape));
        }
        return Profile.fit(device.description(), device.memory().freeBytes(), samples).scaledTo(wholes);
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

    private Sample whole(Device device, LoopShape shape) {
        PartitionedDenoiser one = PartitionedDenoiser.of(loop.denoiser(), shape, new Sequential(), 1);
        return new Sample("", Workload.byModule(ValueInfos.withTypes(one.segment(0).graph(), one.types(0))),
            stageNanos(one, List.of(device)).get(0));
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

    /** Copies from device to device, timed by the streams on which they run. */
    private static final class Copies {
        private static final int[] SIZES = {1 << 12, 1 << 23};
        private static final int TRIES = 9;
        private static final Duration LONGEST = Duration.ofMinutes(1);

        private Copies() {
        }

        /** From each to each other one; those between devices of the same descriptions are measured once. */
        static List<Link> links(List<Device> devices) {
            Map<List<String>, Link> kinds = new HashMap<>();
            List<Link> links = new ArrayList<>();
            for (int from = 0; from < devices.size(); from++) {
                for (int to = 0; to < devices.size(); to++) {
                    if (from != to) {
                        Device source = devices.get(from);
                        Device target = devices.get(to);
                        Link kind = kinds.computeIfAbsent(List.of(source.description(), target.description()),
                            key -> link(source, target));
                        links.add(new Link(from, to, kind.bytesPerNano(), kind.latencyNanos()));
                    }
                }
            }
            return links;
        }

        /** What each byte takes, by the largest copy, and what each copy takes beside that, by the smallest. */
        private static Link link(Device from, Device to) {
            double[] nanos = new double[SIZES.length];
            try (Stream stream = from.newStream("copies"); Event begin = from.newTimedEvent();
                Event end = from.newTimedEvent(); Buffer source = from.allocate(SIZES[SIZES.length - 1]);
                Buffer target = to.allocate(SIZES[SIZES.length - 1])) {
                for (int size = 0; size < SIZES.length; size++) {
                    long[] tries = new long[TRIES];
                    for (int run = 0; run < TRIES; run++) {
                        stream.record(begin);
                        stream.copy(source.slice(0, SIZES[size]), target.slice(0, SIZES[size]));
                        stream.record(end);
                        end.await(LONGEST);
                        tries[run] = end.nanos() - begin.nanos();
                    }
                    Arrays.sort(tries);
                    nanos[size] = tries[TRIES / 2];
                }
            }
            int largest = SIZES.length - 1;
            double perByte = Math.max((nanos[largest] - nanos[0]) / (SIZES[largest] - SIZES[0]), 1e-6);
            return new Link(0, 0, 1 / perByte, Math.max(0, Math.round(nanos[0] - perByte * SIZES[0])));
        }
    }
}
