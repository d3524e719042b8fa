package dev.slipstream.pipelines.run.unroll;

import dev.slipstream.bridge.Arithmetic.RelativeChange;
import dev.slipstream.bridge.DataType;
import dev.slipstream.bridge.TensorType;
import dev.slipstream.pipelines.plan.Edge;
import dev.slipstream.pipelines.plan.Plan;
import dev.slipstream.pipelines.plan.PlanException;
import dev.slipstream.pipelines.plan.Rounds.Decided;
import dev.slipstream.pipelines.plan.Rounds.Window;
import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage;
import dev.slipstream.pipelines.run.loop.LoopSpec;
import dev.slipstream.pipelines.run.program.Decision.Condition;
import dev.slipstream.pipelines.run.program.Decision;
import dev.slipstream.pipelines.run.program.Work;
import dev.slipstream.pipelines.run.unroll.LiveRuns.StageRun;
import dev.slipstream.pipelines.run.unroll.Value.Access;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What surrounds the runs of stages that are decided about while the loop runs. Of both outcomes there is a body: where
 * the stage runs, what it made is kept; where it rests, what it would have made comes from what is kept. Either way the
 * value of the step is there, and readers know nothing of it.
 *
 * <p>What is kept is renewed in place: the one exception from values that never change. It lies on the device of the
 * stage, and only the stream that computes there touches it, in order.
 */
final class DecidedRuns {
    /** Stages of a guidance branch that run or rest together. */
    private static final class Group {
        private final int number;
        private final Branch branch;
        private final Decided rounds;
        private final int device;
        /** What was measured when they ran last. */
        private Value past;
        /** What is measured at this step. */
        private Value now;

        Group(int number, Stage stage, Decided rounds) {
            this.number = number;
            this.branch = stage.branch();
            this.rounds = rounds;
            this.device = stage.device();
        }

        boolean has(Stage stage) {
            return stage.branch() == branch && stage.rounds().equals(rounds);
        }
    }

    private record Output(int stage, String tensor) {
    }

    private final Plan plan;
    private final LoopSpec loop;
    private final TaskList tasks;
    private final List<Group> groups = new ArrayList<>();
    private final List<Decision> decisions = new ArrayList<>();
    private final Map<Output, Value> kept = new HashMap<>();
    /** Of the decision where the window lies, if that is decided. */
    private final int window;

    /** @param tasks where the work goes */
    DecidedRuns(Plan plan, LoopSpec loop, TaskList tasks) {
        this.plan = plan;
        this.loop = loop;
        this.tasks = tasks;
        for (int index = 0; index < plan.stages().size(); index++) {
            Stage stage = plan.stages().get(index);
            if (stage.rounds() instanceof Decided rounds && groups.stream().noneMatch(group -> group.has(stage))) {
                groups.add(new Group(groups.size(), stage, rounds));
                decisions.add(new Decision(plan.label(index), rounds.rule()));
            }
        }
        this.window = decisions.size();
        plan.window().ifPresent(rule -> decisions.add(new Decision(Decision.WINDOW, rule)));
    }

    List<Decision> decisions() {
        return decisions;
    }

    /** On what condition a stage runs at a step; empty if it does in any case. */
    Optional<Condition> condition(StageRun run) {
        return group(run).flatMap(group -> condition(group, run.step(), true)).or(() -> ofWindow(run));
    }

    /** On what condition a stage of a window whose place is decided, or one outside it, runs at a step. */
    Optional<Condition> ofWindow(StageRun run) {
        return plan.stages().get(run.stage()).rounds() instanceof Window(var rule, boolean inside)
            ? window(run.step(), inside) : Optional.empty();
    }

    /** On what condition a step lies in the window, or outside it; empty if that is not decided. */
    Optional<Condition> window(int step, boolean inside) {
        return plan.isOpen(step, loop.noise().steps()) ? Optional.of(new Condition(window, inside)) : Optional.empty();
    }

    /** The decision where the window lies at a step. */
    TaskList.Choice window(int step) {
        return new TaskList.Choice(window, step);
    }

    private Optional<Group> group(StageRun run) {
        Stage stage = plan.stages().get(run.stage());
        return groups.stream().filter(group -> group.has(stage)).findFirst();
    }

    private Optional<Condition> condition(Group group, int step, boolean outcome) {
        return isOpen(group, step) ? Optional.of(new Condition(group.number, outcome)) : Optional.empty();
    }

    private boolean isOpen(Group group, int step) {
        return group.rounds.isOpen(step, loop.noise().steps(), plan.cadence());
    }

    /** Whether a decision is made by what is measured at a step. */
    private boolean isMeasured(Group group, int step) {
        return isOpen(group, step + group.rounds.slip());
    }

    /**
     * Measures, when a stage has run, what is decided by: as early as can be, so that the host need not wait long.
     *
     * @param on gives what the stage made on a device
     */
    void measure(StageRun run, Stage stage, String tensor, Function<Integer, Value> on) {
        for (Group group : groups) {
            if (stage.branch() != group.branch || !tensor.equals(group.rounds.measured())) {
                continue;
            }
            group.now = on.apply(group.device);
            if (isMeasured(group, run.step())) {
                Value change = Value.made("change " + group.number, group.device, Float.BYTES);
                Value space = Value.made("lanes", group.device, RelativeChange.WORK_BYTES);
                tasks.add(group.device, run.step(), new Work.Compare<>(change.all(), group.now.all(), past(group).all(),
                    space.all()));
                tasks.report(group.device, run.step(), change, new TaskList.Choice(group.number,
                    run.step() + group.rounds.slip()), Optional.empty());
            }
        }
    }

    private static Value past(Group group) {
        group.past = group.past == null ? Value.pinned(group.device, group.now.bytes()) : group.past;
        return group.past;
    }

    /**
     * Adds what comes behind the run of a stage.
     *
     * @param inputs what it reads
     * @param outputs what it makes
     */
    void follow(StageRun run, Map<String, Access> inputs, Map<String, Access> outputs) {
        group(run).ifPresent(group -> {
            outputs.forEach((tensor, value) -> form(run.stage(), tensor)
                .ifPresent(form -> keep(group, run, tensor, value, base(form, inputs))));
            if (group.now != null && isMeasured(group, run.step() + 1)) {
                tasks.add(group.device, run.step(), new Work.Copy<>(group.now.all(), past(group).all()),
                    condition(group, run.step(), true));
                group.now = null;
            }
        });
    }

    /** What stands for a tensor that is not made; empty where only stages read it that rest as well. */
    private Optional<Edge.Form> form(int stage, String tensor) {
        return plan.edges().stream().filter(edge -> edge.from() == stage && edge.tensor().equals(tensor)
            && !plan.stages().get(edge.to()).rounds().equals(plan.stages().get(stage).rounds()))
            .map(Edge::form).findFirst();
    }

    private static Optional<Access> base(Edge.Form form, Map<String, Access> inputs) {
        return form instanceof Edge.Form.Residual(String base) ? Optional.of(inputs.get(base)) : Optional.empty();
    }

    /** @param base what the value is the change of; empty if the value itself is kept */
    private void keep(Group group, StageRun run, String tensor, Access value, Optional<Access> base) {
        Value change = kept.computeIfAbsent(new Output(run.stage(), tensor),
            key -> Value.pinned(group.device, value.bytes()));
        base.ifPresent(entered -> requireFloats(tensor));
        if (isOpen(group, run.step() + 1)) {
            add(group, run, change.all(), value, base, -1, true);
        }
        if (isOpen(group, run.step())) {
            add(group, run, value, change.all(), base, 1, false);
        }
    }

    private void add(Group group, StageRun run, Access to, Access from, Optional<Access> base, float weight,
        boolean outcome) {
        tasks.add(group.device, run.step(), base.<Work<Access>>map(entered -> new Work.Combine<>(to,
            List.of(from, entered), List.of(1f, weight))).orElseGet(() -> new Work.Copy<>(from, to)),
            condition(group, run.step(), outcome));
    }

    private void requireFloats(String tensor) {
        TensorType type = loop.type(tensor, groups.getFirst().branch);
        if (type.type() != DataType.FLOAT32) {
            throw new PlanException("plan " + plan.strategy() + " keeps what a part adds in float32, but " + tensor
                + " is " + type.type() + "; take fp32, or form=replace");
        }
    }
}
