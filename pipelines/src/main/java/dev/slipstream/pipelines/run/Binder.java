package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.Arithmetic.Combination;
import dev.slipstream.bridge.Arithmetic.GuidanceRescale;
import dev.slipstream.bridge.Arithmetic.Limiting;
import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.CapturedGraph;
import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.Event;
import dev.slipstream.bridge.ExecutionContext.Bindings;
import dev.slipstream.bridge.ExecutionContext;
import dev.slipstream.bridge.Slice;
import dev.slipstream.bridge.Stream;
import dev.slipstream.bridge.Tensor;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Work;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a command of every instruction, with everything looked up, so that queueing is a walk over an array that
 * allocates nothing.
 */
final class Binder {
    private static final Logger LOG = LoggerFactory.getLogger(Binder.class);
    private static final Runnable DONE_BY_ITS_REGION = () -> { };

    private final Program program;
    private final Resources resources;
    private final List<StageEngine> engines;
    private final Decider decider;
    private final Deciding deciding;
    private final Tracer tracer;
    private final Map<Integer, ExecutionContext> contexts = new HashMap<>();
    private final Map<Work.Run<Slice>, Bindings> bindings = new HashMap<>();
    private boolean refusalIsTold;

    /** What the host does at a decision. */
    interface Deciding {
        /**
         * Waits for what is decided by, and decides.
         *
         * @param queued how many instructions are queued in this run
         */
        void decide(Instruction.Decide decide, int queued);
    }

    /** @param tracer what times the instructions, or null */
    Binder(Program program, Resources resources, List<StageEngine> engines, Decider decider, Deciding deciding,
        Tracer tracer) {
        this.program = program;
        this.resources = resources;
        this.engines = engines;
        this.decider = decider;
        this.deciding = deciding;
        this.tracer = tracer;
    }

    /**
     * One command for each instruction. That of a region's first queues the whole region: between it and the last, its
     * stream has neither waits nor records, so it makes no difference.
     *
     * @param regions what to capture
     */
    Runnable[] bind(List<CaptureRegion> regions) {
        Runnable[] commands = IntStream.range(0, program.instructions().size()).mapToObj(this::command)
            .toArray(Runnable[]::new);
        Map<CaptureRegion.Content, Graph> graphs = new HashMap<>();
        for (CaptureRegion region : regions) {
            Graph graph = graphs.computeIfAbsent(region.content(program), key ->
                new Graph(resources.streams().get(region.stream()),
                    region.instructions().stream().map(index -> commands[index]).toArray(Runnable[]::new)));
            region.instructions().forEach(index -> commands[index] = DONE_BY_ITS_REGION);
            commands[region.instructions().getFirst()] = graph;
        }
        for (int index = 0; index < commands.length; index++) {
            if (program.instructions().get(index) instanceof Instruction.Launch launch
                && launch.condition().isPresent()) {
                commands[index] = onCondition(launch.condition().get(), launch.step(), commands[index]);
            }
        }
        return commands;
    }

    private Runnable onCondition(Condition condition, int step, Runnable call) {
        return () -> {
            if (decider.runs(condition, step)) {
                call.run();
            }
        };
    }

    private Runnable command(int index) {
        Instruction instruction = program.instructions().get(index);
        Stream stream = resources.streams().get(instruction.stream());
        return switch (instruction) {
            case Instruction.Launch launch -> traced(stream, index, command(stream, launch));
            case Instruction.Record record -> {
                Event event = resources.events()[record.event()];
                yield () -> stream.record(event);
            }
            case Instruction.Wait wait -> {
                Event event = resources.events()[wait.event()];
                yield traced(stream, index, () -> stream.await(event));
            }
            case Instruction.Decide decide -> () -> deciding.decide(decide, index);
        };
    }

    private Runnable traced(Stream stream, int index, Runnable command) {
        return tracer == null ? command : tracer.around(stream, index, command);
    }

    private Runnable command(Stream stream, Instruction.Launch launch) {
        return switch (launch.work().map(resources::slice)) {
            case Work.Run<Slice> run -> {
                Bindings bound = bindings.computeIfAbsent(run, this::bind);
                yield () -> stream.run(bound);
            }
            case Work.Copy<Slice>(Slice from, Slice to) -> () -> stream.copy(from, to);
            case Work.Combine<Slice>(Slice to, List<Slice> from, List<Float> weights) -> {
                Combination combination = new Combination(to, from, weights);
                yield () -> stream.combine(combination);
            }
            case Work.Rescale<Slice>(Slice to, Slice guided, Slice text, Slice space, int pictures, float strength) -> {
                GuidanceRescale rescale = new GuidanceRescale(to, guided, text, space, pictures, strength);
                yield () -> stream.rescale(rescale);
            }
            case Work.Limiting<Slice> work -> {
                Limiting limiting = new Limiting(work.to(), work.from(), work.pictures(), work.limit());
                yield () -> stream.limit(limiting);
            }
            case Work.Compare<Slice>(Slice to, Slice now, Slice then, Slice space) -> {
                RelativeChange change = new RelativeChange(to, now, then, space);
                yield () -> stream.compare(change);
            }
            case Work.Report<Slice>(Slice from, int scalar) -> {
                MemorySegment to = decider.scalar(scalar);
                yield () -> stream.download(from, to);
            }
            case Work.FiniteCheck<Slice> check -> {
                Tensor tensor = new Tensor(check.value(), check.type());
                yield () -> stream.checkFinite(tensor, check.mark(), check.label());
            }
        };
    }

    private Bindings bind(Work.Run<Slice> run) {
        StageEngine stage = engines.get(run.stage());
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        run.tensors().forEach((name, slice) -> tensors.put(name, new Tensor(slice, stage.types().get(name))));
        return contexts.computeIfAbsent(run.stage(), key -> resources.own(stage.engine().newContext())).bind(tensors);
    }

    /**
     * Queues the work of equal regions. The first time as it is, as engines need one plain run before they can be
     * captured; the second time it captures a graph; and from then on it launches the graph, in one call and without
     * allocating. What cannot be captured is queued as it is each time.
     */
    private final class Graph implements Runnable {
        private final Stream stream;
        private final Runnable[] calls;
        private boolean ran;
        private boolean refused;
        private CapturedGraph captured;

        Graph(Stream stream, Runnable[] calls) {
            this.stream = stream;
            this.calls = calls;
        }

        @Override
        public void run() {
            if (!ran || refused) {
                callAll();
                ran = true;
                return;
            }
            if (captured == null && !tryToCapture()) {
                callAll();
                return;
            }
            stream.launch(captured);
        }

        private boolean tryToCapture() {
            try {
                captured = capture();
                return true;
            } catch (DeviceLostException lost) {
                throw lost;
            } catch (DeviceException why) {
                refused = true;
                tell(why);
                return false;
            }
        }

        /** Also after a failure, the stream does not capture any more. */
        private CapturedGraph capture() {
            stream.beginCapture();
            try {
                callAll();
            } catch (RuntimeException | Error failure) {
                drop(failure);
                throw failure;
            }
            return resources.own(stream.endCapture());
        }

        private void drop(Throwable failure) {
            try {
                stream.endCapture().close();
            } catch (RuntimeException second) {
                if (second != failure) {
                    failure.addSuppressed(second);
                }
            }
        }

        /** Once an execution. */
        private void tell(DeviceException why) {
            if (!refusalIsTold) {
                refusalIsTold = true;
                LOG.warn("{}: work of the loop cannot be captured, and is queued anew in each step: {}",
                    stream.device().name(), why.getMessage());
            }
        }

        private void callAll() {
            for (Runnable call : calls) {
                call.run();
            }
        }
    }
}
