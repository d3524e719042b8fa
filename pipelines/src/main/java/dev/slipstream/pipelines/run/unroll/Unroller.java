package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.pipelines.run.program.HostInput;
import dev.slipstream.pipelines.run.program.Instruction;
import dev.slipstream.pipelines.run.program.Program;
import dev.slipstream.pipelines.run.program.Region;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.TaskList.Choice;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Turns a plan into a program, for one loop. It thinks in {@link Value}s; {@link Lowering} does the rest. */
public final class Unroller {
    private final Plan plan;
    private final LoopSpec loop;
    private final UnrollOptions options;
    private final LiveRuns live;
    private final HostValues host = new HostValues();
    private final TaskList tasks;
    private final Bands bands;
    private final StepInputs inputs;
    private final DecidedRuns decided;
    private final StageRuns stages;
    private final DecidedWindow window;
    private final SchedulerSteps schedulerSteps;

    private Unroller(Plan plan, LoopSpec loop, UnrollOptions options) {
        this.plan = plan;
        this.loop = loop;
        this.options = options;
        this.live = new LiveRuns(plan, loop.noise().steps(), new Reads(plan, loop.noise().steps()),
            loop.rests());
        this.tasks = new TaskList(plan.devices(), options.copyStreams());
        this.bands = new Bands(plan, loop, tasks);
        this.inputs = new StepInputs(plan, loop, live, bands, host, tasks, options.copiedTimesteps());
        this.decided = new DecidedRuns(plan, loop, tasks);
        this.stages = new StageRuns(plan, loop, live, bands, host, inputs, tasks, decided, options);
        this.window = new DecidedWindow(plan, loop, live, stages, tasks, decided);
        this.schedulerSteps = new SchedulerSteps(plan.home(), loop, bands, host,
            new Predictions(plan.home(), loop, live, stages, window, tasks), tasks);
    }

    /** @param copyStreams whether copies between devices get a stream of their own on the device that they come from */
    public static Program unroll(Plan plan, LoopSpec loop, boolean copyStreams) {
        return unroll(plan, loop, new UnrollOptions(copyStreams, false, false, false));
    }

    public static Program unroll(Plan plan, LoopSpec loop, UnrollOptions options) {
        return new Unroller(plan, loop, options).unroll();
    }

    private Program unroll() {
        Banded x = new Banded(bands, host.given(Program.LATENTS, plan.home(), 0, loop.latents().bytes()));
        List<Value> results = new ArrayList<>();
        for (int step = 0; step < loop.noise().steps(); step++) {
            inputs.begin(step, x);
            Banded next = schedulerSteps.begin(step, x);
            results.add(bands.areApart(step) ? inBands(step) : whole(step));
            x = next;
        }
        Buffers buffers = new Buffers(tasks.tasks(), options.copiedTimesteps());
        List<HostInput> hostInputs = host.place(buffers, plan.devices());
        return new Lowering(tasks, buffers, decided.decisions())
            .lower(hostInputs, results, schedulerSteps.estimates());
    }

    /** @return the latents after the step */
    private Value whole(int step) {
        live.at(step).forEach(stages::add);
        Value latents = schedulerSteps.take(Bands.WHOLE);
        window.follow(step);
        return latents;
    }

    /**
     * Each band takes its step as soon as it is predicted, before the stages behind it in the queue.
     *
     * @return the last of the latents after the step
     */
    private Value inBands(int step) {
        Deque<Integer> open = new ArrayDeque<>(IntStream.range(0, bands.count()).boxed().toList());
        Set<StageRun> added = new HashSet<>();
        List<Value> made = new ArrayList<>();
        for (StageRun run : live.at(step)) {
            if (!bands.isJoint(run.stage())) {
                stages.add(run);
                added.add(run);
                while (!open.isEmpty() && added.containsAll(stages.predictors(step, open.getFirst()))) {
                    made.add(schedulerSteps.take(open.removeFirst()));
                }
            }
        }
        open.forEach(band -> made.add(schedulerSteps.take(band)));
        return made.getLast();
    }

    /**
     * Makes a program of tasks: derives every wait, and puts {@link Buffers} in the place of values. A task that reads
     * a value of another stream waits for its writers, unless its clock says that they are done already.
     */
    private static final class Lowering {
        private final TaskList tasks;
        private final Buffers buffers;
        private final List<Decision> decisions;
        private final Map<Value, List<Node>> writers = new HashMap<>();
        private final Map<Node, Integer> events = new LinkedHashMap<>();
        private final int[][] clocks;

        Lowering(TaskList tasks, Buffers buffers, List<Decision> decisions) {
            this.tasks = tasks;
            this.buffers = buffers;
            this.decisions = decisions;
            this.clocks = new int[tasks.streams().size()][tasks.streams().size()];
        }

        /**
         * @param hostInputs what the host writes, for values that lie in the buffers already
         * @param results per step the latents that it makes; the task that writes each gets the step's event
         * @param estimates by step, each written before the step's latents and on the same stream
         */
        Program lower(List<HostInput> hostInputs, List<Value> results, Map<Integer, Value> estimates) {
            List<Node> nodes = tasks.tasks().stream().map(this::order).toList();
            nodes.forEach(node -> node.waits().forEach(this::event));
            Map<Choice, List<Node>> reports = reports(nodes);
            Set<Choice> open = new HashSet<>(reports.keySet());
            List<Integer> stepEvents = results.stream().map(result -> event(writers.get(result).getLast())).toList();
            List<Instruction> instructions = new ArrayList<>();
            for (Node node : nodes) {
                int stream = node.task().stream();
                int step = node.task().step();
                // As late as can be: the devices have all else to do while the host waits.
                node.task().condition().map(condition -> new Choice(condition.decision(), step)).filter(open::remove)
                    .ifPresent(choice -> instructions.add(decide(stream, choice, reports.get(choice))));
                node.waits().forEach(awaited -> instructions.add(new Instruction.Wait(stream, step, event(awaited))));
                instructions.add(new Instruction.Launch(stream, step, node.task().work().map(buffers::region),
                    node.task().condition()));
                if (events.containsKey(node)) {
                    instructions.add(new Instruction.Record(stream, step, event(node)));
                }
            }
            Map<Integer, Region> estimateRegions = new HashMap<>();
            estimates.forEach((step, value) -> estimateRegions.put(step, buffers.region(value.all())));
            return new Program(tasks.streams(), buffers.specs(), hostInputs, instructions, events.size(), stepEvents,
                results.stream().map(result -> buffers.region(result.all())).toList(), estimateRegions, decisions);
        }

        private Map<Choice, List<Node>> reports(List<Node> nodes) {
            Map<Work<Access>, Node> all = new HashMap<>();
            nodes.stream().filter(node -> node.task().work() instanceof Work.Report)
                .forEach(node -> all.put(node.task().work(), node));
            Map<Choice, List<Node>> reports = new LinkedHashMap<>();
            tasks.reports().forEach((choice, made) -> {
                reports.put(choice, made.stream().map(all::get).toList());
                event(all.get(made.getLast()));
            });
            return reports;
        }

        private Instruction decide(int stream, Choice choice, List<Node> reports) {
            return new Instruction.Decide(stream, choice.step(), choice.decision(), event(reports.getLast()),
                reports.stream().map(report -> ((Work.Report<?>) report.task().work()).scalar()).toList());
        }

        /** The event that says that a task is done. */
        private int event(Node node) {
            return events.computeIfAbsent(node, key -> events.size());
        }

        private Node order(Task task) {
            Node node = new Node(task, clocks[task.stream()]);
            for (Access read : task.work().reads()) {
                writers.getOrDefault(read.value(), List.of()).forEach(node::startAfter);
            }
            for (Access write : task.work().writes()) {
                // Who writes more of a value, or the same on another condition, finds its buffer free.
                List<Node> before = writers.computeIfAbsent(write.value(), value -> new ArrayList<>());
                before.forEach(node::startAfter);
                before.add(node);
            }
            clocks[task.stream()] = node.clockAfter();
            buffers.use(node);
            return node;
        }
    }
}
