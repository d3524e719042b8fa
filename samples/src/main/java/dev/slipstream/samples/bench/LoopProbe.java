package dev.slipstream.samples.bench;

import com.sun.management.ThreadMXBean;
import dev.slipstream.pipelines.diffusion.DiffusionPipeline;
import dev.slipstream.pipelines.diffusion.ImageRequest;
import dev.slipstream.pipelines.diffusion.denoise.Denoiser;
import dev.slipstream.pipelines.diffusion.denoise.LoopOptions;
import dev.slipstream.pipelines.diffusion.denoise.PartitionedDenoiser;
import dev.slipstream.pipelines.diffusion.noise.Noise;
import dev.slipstream.pipelines.run.Execution;
import dev.slipstream.pipelines.run.LoopObserver;
import dev.slipstream.pipelines.run.loop.Guidance;
import dev.slipstream.pipelines.run.loop.NoiseTable;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.simulate.Machine;
import dev.slipstream.pipelines.run.simulate.Simulator;
import dev.slipstream.pipelines.run.timeline.Timeline;
import dev.slipstream.samples.bench.PlanBenchmark.Contender;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What is inside the loop of a plan, measured apart from the rounds because looking costs time.
 *
 * @param criticalMillis how long the loop would take if every device had a core of its own: the simulator's answer for
 *     the processing time of each stage
 * @param launchMicros host time a launched segment, with all instructions around it
 * @param heapBytesPerStep allocated on the heap by the thread that queues and the threads of the streams, less what
 *     ONNX Runtime's own Java layer allocates
 * @param runtimeHeapBytesPerStep what ONNX Runtime's own Java layer allocates; 0 where it is not used
 * @param timeline of the last run that was timed
 */
record LoopProbe(double criticalMillis, double launchMicros, double heapBytesPerStep,
    double runtimeHeapBytesPerStep, List<Long> weightBytes, Map<String, Double> stageMillis, Timeline timeline) {

    private static final int RUNS = 3;
    /** Of the whole loop for the times of its stages: machines change their speed within seconds. */
    private static final int LEAST_ROUNDS = 7;

    /**
     * Looks at all plans in turn, as machines that are shared change their speed.
     *
     * @param rounds as many as were timed, or a few more
     * @param others is done once a round
     */
    static List<LoopProbe> of(List<Contender> contenders, ImageRequest request, NoiseTable noise, int rounds,
        Runnable others) {
        List<Traced> all = new ArrayList<>();
        try {
            contenders.forEach(contender -> all.add(new Traced(contender, request, noise)));
            for (int round = 0; round < Math.max(LEAST_ROUNDS, rounds); round++) {
                for (int turn = 0; turn < all.size(); turn++) {
                    all.get((round + turn) % all.size()).run();
                }
                others.run();
            }
            return IntStream.range(0, all.size())
                .mapToObj(i -> of(contenders.get(i).plan(), all.get(i), noise)).toList();
        } finally {
            all.reversed().forEach(Traced::close);
        }
    }

    private static LoopProbe of(BenchPlan plan, Traced traced, NoiseTable noise) {
        PartitionedDenoiser partitioned = traced.partitioned;
        Map<Integer, Long> costs = busyNanos(traced.timelines);
        Set<Thread> before = new HashSet<>(Thread.getAllStackTraces().keySet());
        try (Execution execution = traced.denoiser.prepare(noise, traced.guidance,
            LoopOptions.DEFAULT.withReplay(plan.replayed())); Arena arena = Arena.ofShared()) {
            Program program = execution.program();
            Map<String, MemorySegment> given = inputs(program, arena);
            execution.run(given, LoopObserver.NONE);
            double launchMicros = launchMicros(execution, given);
            HeapMeter meter = new HeapMeter(threads(before), noise.steps());
            double heap = heapBytes(execution, given, meter);
            double runtime = plan.isOnCpus() ? runtimeBytes(partitioned, execution, meter) : 0;
            double critical = Simulator.simulate(program, Machine.ideal(partitioned.plan().devices(),
                (device, work) -> work instanceof Work.Run<Region> run ? costs.get(run.stage()) : 0),
                execution::ran).latencyNanos() / 1e6;
            return new LoopProbe(critical, launchMicros, (heap - runtime) / meter.steps(),
                runtime / meter.steps(), weightBytes(partitioned), stageMillis(partitioned, costs),
                traced.timelines.getLast().named(partitioned.plan().labels()));
        }
    }

    /** A plan whose loop notes when what ran. */
    private static final class Traced implements AutoCloseable {
        private final Arena arena = Arena.ofShared();
        private final PartitionedDenoiser partitioned;
        private final Guidance guidance;
        private final Denoiser denoiser;
        private final Execution execution;
        private final Map<String, MemorySegment> given;
        private final List<Timeline> timelines = new ArrayList<>();

        Traced(Contender contender, ImageRequest request, NoiseTable noise) {
            DiffusionPipeline pipeline = contender.pipeline();
            partitioned = pipeline.spec().unwrap(request, PartitionedDenoiser.class);
            guidance = new Guidance(request.guidance().orElseThrow(), request.guidanceRescale());
            denoiser = Denoiser.build(partitioned, pipeline.devices());
            execution = denoiser.prepare(noise, guidance, false, true);
            given = inputs(execution.program(), arena);
            execution.run(given, LoopObserver.NONE);
        }

        void run() {
            execution.run(given, LoopObserver.NONE);
            timelines.add(execution.timeline());
        }

        @Override
        public void close() {
            execution.close();
            denoiser.close();
            arena.close();
        }
    }

    /**
     * What each stage takes: the median of a run, in the fastest run. Other work of a machine only ever adds to
     * processing times, as it shares caches and cores. A stage runs at least once in every loop.
     */
    private static Map<Integer, Long> busyNanos(List<Timeline> runs) {
        Map<Integer, Long> costs = new TreeMap<>();
        runs.forEach(run -> run.medianBusyNanos().forEach((stage, nanos) -> costs.merge(stage, nanos, Math::min)));
        return costs;
    }

    /** The median step: where devices use all cores, the thread that queues may be stopped in the middle of one. */
    private static double launchMicros(Execution execution, Map<String, MemorySegment> given) {
        int steps = execution.program().steps();
        int[] launches = new int[steps];
        for (Instruction instruction : execution.program().instructions()) {
            if (instruction instanceof Instruction.Launch launch && launch.work() instanceof Work.Run
                && execution.ran(launch)) {
                launches[launch.step()]++;
            }
        }
        List<Double> micros = new ArrayList<>();
        for (int run = 0; run < RUNS; run++) {
            execution.run(given, LoopObserver.NONE);
            for (int step = 0; step < steps; step++) {
                if (launches[step] > 0) {
                    micros.add(execution.queueNanos(step) / 1e3 / launches[step]);
                }
            }
        }
        return Spread.of(micros.stream().mapToDouble(Double::doubleValue).toArray()).median();
    }

    /** The median of some runs: streams are not always equally far ahead when a step is done. */
    private static double heapBytes(Execution execution, Map<String, MemorySegment> given, HeapMeter meter) {
        double[] bytes = new double[2 * RUNS + 1];
        for (int i = 0; i < bytes.length; i++) {
            execution.run(given, meter);
            bytes[i] = meter.bytes();
        }
        return Spread.of(bytes).median();
    }

    /** The thread that calls, and those that were started since. */
    private static long[] threads(Set<Thread> before) {
        return Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread == Thread.currentThread() || !before.contains(thread))
            .mapToLong(Thread::threadId).toArray();
    }

    private static double runtimeBytes(PartitionedDenoiser partitioned, Execution execution, HeapMeter meter) {
        Map<Integer, Long> perRun = new HashMap<>();
        double bytes = 0;
        for (Instruction instruction : execution.program().instructions()) {
            if (instruction instanceof Instruction.Launch launch && launch.work() instanceof Work.Run<Region> run
                && meter.counts(launch.step()) && execution.ran(launch)) {
                bytes += perRun.computeIfAbsent(run.stage(), stage -> BareOnnxRuntime.heapBytesPerRun(
                    partitioned.segment(stage).graph(), partitioned.types(stage)));
            }
        }
        return bytes;
    }

    private static List<Long> weightBytes(PartitionedDenoiser partitioned) {
        return IntStream.range(0, partitioned.plan().devices())
            .mapToObj(partitioned::weightBytes).toList();
    }

    private static Map<String, Double> stageMillis(PartitionedDenoiser partitioned, Map<Integer, Long> costs) {
        Map<String, Double> millis = new LinkedHashMap<>();
        costs.forEach((stage, nanos) -> millis.put(partitioned.plan().label(stage), nanos / 1e6));
        return millis;
    }

    /** The inputs of a program: noise, as decisions hang on it, and zeros, as times do not depend on values. */
    static Map<String, MemorySegment> inputs(Program program, Arena arena) {
        Map<String, MemorySegment> inputs = new HashMap<>();
        program.givenBytes().forEach((name, bytes) -> inputs.put(name, arena.allocate(bytes, 64)));
        Noise.initialLatents(0).fill(inputs.get(Program.LATENTS), 0);
        return inputs;
    }

    /**
     * Counts what some threads allocate on the heap between two steps of a loop. Steps at the edges are left out where
     * there are enough: at the start the host queues several at once.
     */
    static final class HeapMeter implements LoopObserver {
        private static final int EDGE = 6;

        private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        private final long[] ids;
        private final int first;
        private final int last;
        private long before;
        private long after;

        /** @param ids of the threads */
        HeapMeter(long[] ids, int steps) {
            if (steps < 2) {
                throw new IllegalArgumentException("allocations are counted over at least 2 steps, not " + steps);
            }
            this.ids = ids.clone();
            boolean enough = steps > 2 * EDGE + 1;
            this.first = enough ? EDGE - 1 : 0;
            this.last = enough ? steps - EDGE : steps - 1;
        }

        @Override
        public void stepDone(int step, int steps) {
            if (step == first) {
                before = allocated();
            } else if (step == last) {
                after = allocated();
            }
        }

        private long allocated() {
            long sum = 0;
            // One by one, since asking for all at once makes an array, which would be counted.
            for (long id : ids) {
                sum += threads.getThreadAllocatedBytes(id);
            }
            return sum;
        }

        /** Whether the work of this step, counted from 0, was counted. */
        boolean counts(int step) {
            return step > first && step <= last;
        }

        int steps() {
            return last - first;
        }

        long bytes() {
            return after - before;
        }
    }
}
