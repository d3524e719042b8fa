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
import dev.slipstream.pipelines.diffusion.noise.Noise;
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
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The modules of a denoiser on a device, timed in rounds: it is cut into single modules, and these run one after
 * another, as in a loop, so that caches are as cold as there; then it runs in a few large pieces. Machines that are
 * shared change their speed within minutes, so what is compared with a profile runs between its rounds. One thread;
 * closed by its user.
 */
public final class ProfileRounds implements AutoCloseable {
    private static final int LEAST_STEPS = 6;
    /** Of a loop that is timed: the shorter it is, the more a moment in which a machine is fast or slow counts. */
    private static final long LOOP_NANOS = 500_000_000;
    /** In one, and in two: what a run takes beside its modules is the difference. */
    private static final List<Integer> PIECES = List.of(1, 2);

    private final Device device;
    private final List<Pass> modules = new ArrayList<>();
    private final List<Pass> pieces = new ArrayList<>();

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
                int all = modules(loop.denoiser()).size();
                modules.add(new Pass(loop, inPieces(loop.denoiser(), shape, all), device, true));
                for (int count : PIECES) {
                    pieces.add(new Pass(loop, inPieces(loop.denoiser(), shape, Math.min(count, all)), device, true));
                }
            }
        } catch (RuntimeException failure) {
            close();
            throw failure;
        }
    }

    /** Times everything once. */
    public void run() {
        modules.forEach(Pass::time);
        pieces.forEach(Pass::time);
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
            .scaledTo(pieces.stream().flatMap(pass -> pass.samples().stream()).toList());
    }

    @Override
    public void close() {
        Closer.closeAll(pieces);
        Closer.closeAll(modules);
    }

    /** Without guidance, as each branch has it where guidance is split. */
    private static LoopShape half(LoopShape shape) {
        Map<String, TensorType> conditions = new HashMap<>();
        shape.conditions().forEach((name, type) ->
            conditions.put(name, LoopShape.withRows(type, type.shape().dim(0) / 2)));
        return new LoopShape(shape.latents(), shape.extraChannels(), false, conditions);
    }

    /** In the order in which they run. */
    private static List<String> modules(DenoiserGraph whole) {
        return Cuts.singleModules(whole.graph(), Set.of(whole.ports().sample())).components().stream()
            .flatMap(List::stream).toList();
    }

    /** One after another on a device, with an equal number of modules in each. */
    private static PartitionedDenoiser inPieces(DenoiserGraph whole, LoopShape shape, int count) {
        List<String> modules = modules(whole);
        Cut cut = new Cut("pieces", IntStream.range(0, count).mapToObj(piece ->
            modules.subList(piece * modules.size() / count, (piece + 1) * modules.size() / count)).toList());
        return PartitionedDenoiser.of(new DenoiserGraph(whole.name(), whole.graph(), whole.config(), List.of(cut))
            .withPrecision(whole.precision()), shape, new Sequential(), count);
    }

    /** What the host takes to queue an instruction, by the median step. @param device the caller's */
    static long hostNanos(Loop loop, Device device) {
        try (Pass pass = new Pass(loop, inPieces(loop.denoiser(), loop.shape(), 1), device, false)) {
            Program program = pass.execution.program();
            long[] steps = IntStream.range(0, program.steps()).mapToLong(pass.execution::queueNanos).sorted().toArray();
            return steps[steps.length / 2] * program.steps() / program.instructions().size();
        }
    }

    /** A loop of some steps, warm, whose stages are timed if that is wished. */
    private static final class Pass implements AutoCloseable {
        private final PartitionedDenoiser partitioned;
        private final Arena arena = Arena.ofShared();
        private final List<AutoCloseable> open = new ArrayList<>(List.of(arena));
        private final Map<String, MemorySegment> given = new HashMap<>();
        private final Execution execution;
        /** Of each stage, in the fastest round. */
        private final Map<Integer, Long> nanos = new TreeMap<>();

        Pass(Loop loop, PartitionedDenoiser partitioned, Device device, boolean timed) {
            this.partitioned = partitioned;
            try {
                Denoiser denoiser = Denoiser.build(partitioned,
                    Collections.nCopies(partitioned.plan().devices(), device));
                open.add(denoiser);
                long taken;
                try (Execution few = prepare(denoiser, loop, LEAST_STEPS, timed)) {
                    few.program().givenBytes().forEach((name, bytes) -> given.put(name, arena.allocate(bytes, 64)));
                    // Noise, as loops begin with: what grows from zeros may be quicker to compute with.
                    Noise.initialLatents(0).fill(Objects.requireNonNull(given.get(Program.LATENTS)), 0);
                    warmUp(few);
                    taken = warmUp(few);
                }
                execution = prepare(denoiser, loop, (int) Math.clamp(LEAST_STEPS * LOOP_NANOS / taken, LEAST_STEPS,
                    Integer.MAX_VALUE), timed);
                open.add(execution);
                warmUp(execution);
            } catch (RuntimeException failure) {
                close();
                throw failure;
            }
        }

        private static Execution prepare(Denoiser denoiser, Loop loop, int steps, boolean timed) {
            NoiseTable noise = loop.noise();
            return denoiser.prepare(noise.withRows(noise.rows().subList(0, Math.min(steps, noise.steps()))),
                loop.guidance(), LoopOptions.DEFAULT.withTrace(timed));
        }

        private long warmUp(Execution loop) {
            long start = System.nanoTime();
            loop.run(given, LoopObserver.NONE);
            return Math.max(1, System.nanoTime() - start);
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

        /** The module that a stage is, or the first of a piece. */
        private String module(int stage) {
            return partitioned.denoiser().cuts().getFirst().components()
                .get(partitioned.segment(stage).component()).getFirst();
        }

        @Override
        public void close() {
            Closer.closeAll(open);
        }
    }
}
