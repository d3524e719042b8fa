package dev.slipstream.pipelines.diffusion.planning;

import dev.slipstream.bridge.Device;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.bridge.provider.Closer;
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
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The modules of a denoiser on a device, timed in rounds: it is cut into single modules, and these run one after
 * another, as in a loop, so that caches are as cold as there; then it runs in one piece. Machines that are shared change
 * their speed within minutes, so what is compared with a profile runs between its rounds. One thread; closed by its
 * user.
 */
public final class ProfileRounds implements AutoCloseable {
    private static final int STEPS = 6;
    private static final int WARM_UPS = 2;

    private final Device device;
    private final List<Pass> modules = new ArrayList<>();
    private final List<Pass> wholes = new ArrayList<>();

    /**
     * Builds the engines, and warms them up.
     *
     * @param device the caller's
     */
    public ProfileRounds(Loop loop, Device device) {
        this.device = device;
        List<LoopShape> shapes = loop.shape().guided() ? List.of(loop.shape(), half(loop.shape()))
            : List.of(loop.shape());
        try {
            for (LoopShape shape : shapes) {
                modules.add(new Pass(loop, inModules(loop.denoiser(), shape), device, true));
                wholes.add(new Pass(loop, inOnePiece(loop.denoiser(), shape), device, true));
            }
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    /** Times everything once. */
    public void run() {
        modules.forEach(Pass::time);
        wholes.forEach(Pass::time);
    }

    /**
     * What the rounds so far say, by the fastest of them: what else a machine does only ever adds to times.
     *
     * @throws IllegalStateException before the first round
     */
    public Profile profile() {
        List<Sample> samples = modules.stream().flatMap(pass -> pass.samples().stream()).toList();
        if (samples.isEmpty()) {
            throw new IllegalStateException("a profile is known after the first round");
        }
        return Profile.fit(device.description(), device.memory().freeBytes(), samples)
            .scaledTo(wholes.stream().flatMap(pass -> pass.samples().stream()).toList());
    }

    @Override
    public void close() {
        Closer.closeAll(wholes);
        Closer.closeAll(modules);
    }

    /** Without guidance, as each branch has it where guidance is split. */
    private static LoopShape half(LoopShape shape) {
        Map<String, TensorType> conditions = new HashMap<>();
        shape.conditions().forEach((name, type) ->
            conditions.put(name, LoopShape.withRows(type, type.shape().dim(0) / 2)));
        return new LoopShape(shape.latents(), shape.extraChannels(), false, conditions);
    }

    private static PartitionedDenoiser inModules(DenoiserGraph whole, LoopShape shape) {
        Cut cut = Cuts.singleModules(whole.graph(), Set.of(whole.ports().sample()));
        DenoiserGraph single = new DenoiserGraph(whole.name(), whole.graph(), whole.config(), List.of(cut))
            .withPrecision(whole.precision());
        return PartitionedDenoiser.of(single, shape, new Sequential(), cut.size());
    }

    private static PartitionedDenoiser inOnePiece(DenoiserGraph whole, LoopShape shape) {
        return PartitionedDenoiser.of(whole, shape, new Sequential(), 1);
    }

    /** What the host takes to queue an instruction, by the median step. @param device the caller's */
    static long hostNanos(Loop loop, Device device) {
        try (Pass pass = new Pass(loop, inOnePiece(loop.denoiser(), loop.shape()), device, false)) {
            Program program = pass.execution.program();
            long[] steps = IntStream.range(0, program.steps()).mapToLong(pass.execution::queueNanos).sorted().toArray();
            return steps[steps.length / 2] * program.steps() / program.instructions().size();
        }
    }

    /** A loop of a few steps, warm, whose stages are timed if that is wished. */
    private static final class Pass implements AutoCloseable {
        private final PartitionedDenoiser partitioned;
        private final Arena arena = Arena.ofShared();
        private final List<AutoCloseable> open = new ArrayList<>(List.of(arena));
        private final Execution execution;
        private final Map<String, MemorySegment> given = new HashMap<>();
        /** Of each stage, in the fastest round. */
        private final Map<Integer, Long> nanos = new TreeMap<>();

        Pass(Loop loop, PartitionedDenoiser partitioned, Device device, boolean timed) {
            this.partitioned = partitioned;
            try {
                Denoiser denoiser = Denoiser.build(partitioned,
                    Collections.nCopies(partitioned.plan().devices(), device));
                open.add(denoiser);
                NoiseTable noise = loop.noise();
                execution = denoiser.prepare(noise.withRows(noise.rows().subList(0, Math.min(STEPS, noise.steps()))),
                    loop.guidance(), LoopOptions.DEFAULT.withTrace(timed));
                open.add(execution);
                // Zeros: time does not depend on the values.
                execution.program().givenBytes().forEach((name, bytes) -> given.put(name, arena.allocate(bytes, 64)));
                for (int run = 0; run < WARM_UPS; run++) {
                    execution.run(given, LoopObserver.NONE);
                }
            } catch (RuntimeException failure) {
                close();
                throw failure;
            }
        }

        void time() {
            execution.run(given, LoopObserver.NONE);
            execution.timeline().medianBusyNanos()
                .forEach((stage, busy) -> nanos.merge(stage, busy, Math::min));
        }

        /** What each stage took. */
        List<Sample> samples() {
            List<Sample> samples = new ArrayList<>();
            nanos.forEach((stage, busy) -> samples.add(new Sample(module(stage), Workload.byModule(
                ValueInfos.withTypes(partitioned.segment(stage).graph(), partitioned.types(stage))), busy)));
            return samples;
        }

        private String module(int stage) {
            List<Cut> cuts = partitioned.denoiser().cuts();
            return nanos.size() == 1 ? "" : cuts.getFirst().components().get(partitioned.segment(stage).component())
                .getFirst();
        }

        @Override
        public void close() {
            Closer.closeAll(open);
        }
    }
}
