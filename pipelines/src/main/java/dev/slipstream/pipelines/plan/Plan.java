package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Which segment runs on which device, and how old each value between segments may be.
 *
 * @param strategy the strategy that made it, with its settings, as a user would write it
 * @param segments all segments, in an order in which they can run with slip 0
 * @param stages the segments at their places, in the order of their segments. The first stage of a segment and branch
 *     is its primary: the one that runs in synchronous steps
 * @param edges tensors from stage to stage in the asynchronous window; in synchronous steps every tensor comes from the
 *     primary stage of its segment, with slip 0
 * @param prediction name of the tensor that the noise scheduler consumes
 * @param predicted what it takes at steps of the window for which nothing was predicted
 * @param guidance the steps at which both guidance branches are predicted
 */
public record Plan(String strategy, int devices, List<SegmentOutline> segments, List<Stage> stages, List<Edge> edges,
    Cadence cadence, String prediction, Edge.Form predicted, GuidanceSchedule guidance) {

    public Plan {
        segments = List.copyOf(segments);
        stages = List.copyOf(stages);
        edges = List.copyOf(edges);
    }

    /** A plan that predicts in each of its rounds, always both guidance branches. */
    public Plan(String strategy, int devices, List<SegmentOutline> segments, List<Stage> stages, List<Edge> edges,
        Cadence cadence, String prediction) {
        this(strategy, devices, segments, stages, edges, cadence, prediction, Edge.Form.LAST, GuidanceSchedule.ALWAYS);
    }

    public SegmentOutline segment(int stage) {
        return segments.get(stages.get(stage).segment());
    }

    /** How it is decided while the loop runs where the window lies; empty where that is known before. */
    public Optional<Rounds.Rule.Flat> window() {
        return stages.stream().map(Stage::rounds).filter(Rounds.Window.class::isInstance)
            .map(rounds -> ((Rounds.Window) rounds).rule()).findFirst();
    }

    /** This plan with the window where its rule expects it, as if that were known; itself, if it is. */
    public Plan expected() {
        return window().map(rule -> {
            Cadence known = new Cadence(rule.latest(), rule.length(), cadence.tail(), cadence.stride(),
                cadence.reuse(), cadence.timeShift());
            List<Stage> same = stages.stream().map(stage -> new Stage(stage.segment(), stage.device(), stage.branch(),
                stage.lead(), Rounds.ALL, stage.phase())).toList();
            return new Plan(strategy, devices, segments, same, edges, known, prediction, predicted,
                guidance.with(new Rounds.Outside(known)));
        }).orElse(this);
    }

    /** Whether it is decided while the loop runs if a step lies in the window. */
    public boolean isOpen(int step, int steps) {
        return !cadence.isSynchronous(step, steps) && window().isPresent();
    }

    /** What people call a stage: its segment, and what sets it apart from other stages of that segment. */
    public String label(int stage) {
        Stage it = stages.get(stage);
        String branch = switch (it.branch()) {
            case BOTH -> "";
            case UNCONDITIONAL -> "-";
            case CONDITIONAL -> "+";
        };
        boolean again = stages.subList(0, stage).stream().anyMatch(other -> other.segment() == it.segment()
            && other.branch() == it.branch() && other.lead() == it.lead());
        return segment(stage).name() + branch + (it.lead() > 0 ? "(t+" + it.lead() + ")" : "")
            + (again ? "(window)" : "");
    }

    /** What people call all stages, in their order. */
    public List<String> labels() {
        return IntStream.range(0, stages.size()).mapToObj(this::label).toList();
    }

    /**
     * The stage that makes a tensor in synchronous steps: the primary one of its segment.
     *
     * @throws PlanException if there is none, as for the inputs of the whole graph
     */
    public int writer(String tensor, Branch branch) {
        return IntStream.range(0, stages.size())
            .filter(index -> stages.get(index).branch() == branch && stages.get(index).phase().includes(true)
                && segment(index).writes().contains(tensor))
            .findFirst().orElseThrow(() -> new PlanException("no stage makes " + tensor + " for " + branch));
    }

    /**
     * The stage that makes a tensor where another one has made what it is made of: of the same branch and lead.
     *
     * @throws PlanException if there is none
     */
    public int beside(int stage, String tensor) {
        Stage it = stages.get(stage);
        return IntStream.range(0, stages.size()).filter(index -> stages.get(index).branch() == it.branch()
            && stages.get(index).lead() == it.lead() && segment(index).writes().contains(tensor))
            .findFirst().orElseThrow(() -> new PlanException("plan " + strategy + " has no stage that makes " + tensor
                + " beside " + label(stage)));
    }

    /**
     * The step at which the value was made that an edge brings when its reader runs.
     *
     * @param step at which the reader runs, in the asynchronous window
     * @param steps of the whole loop
     */
    public int madeAt(Edge edge, int step, int steps) {
        int made = lastRun(edge.from(), step, steps);
        // A writer that does not run now has done so a round ago, or more.
        int behind = made < step ? edge.slip() - 1 : edge.slip();
        for (; behind > 0; behind--) {
            made = lastRun(edge.from(), made - 1, steps);
        }
        return made;
    }

    /** The last step before this one at which the value of an edge was made; negative if there is none. */
    public int madeBefore(Edge edge, int step, int steps) {
        return lastRun(edge.from(), step - 1, steps);
    }

    /** The latest step up to this one at which a stage runs; the first step is synchronous, so there is one. */
    private int lastRun(int stage, int step, int steps) {
        int last = step;
        while (!runs(stage, last, steps)) {
            last--;
        }
        return last;
    }

    /** In a synchronous step all is made, if not by this stage then by the one that stands for it there. */
    private boolean runs(int stage, int step, int steps) {
        Stage it = stages.get(stage);
        return cadence.isSynchronous(step, steps)
            || it.phase().includes(false) && cadence.isRound(step, steps) && it.rounds().includes(step, steps);
    }

    /** Whether a segment makes a tensor; else it is an input of the whole graph. */
    public boolean isMade(String tensor) {
        return segments.stream().anyMatch(segment -> segment.writes().contains(tensor));
    }

    /** Stages that make the prediction in the window with the given lead, one a branch. */
    public List<Integer> predictors(int lead) {
        return IntStream.range(0, stages.size())
            .filter(stage -> stages.get(stage).lead() == lead && stages.get(stage).phase().includes(false)
                && segment(stage).writes().contains(prediction) && whole(stage).isEmpty())
            .boxed().toList();
    }

    /** Stages that make the prediction in synchronous steps, one a branch. */
    public List<Integer> synchronousPredictors() {
        return Stream.of(Branch.values())
            .filter(branch -> stages.stream().anyMatch(stage -> stage.branch() == branch
                && segments.get(stage.segment()).writes().contains(prediction)))
            .map(branch -> writer(prediction, branch)).filter(stage -> whole(stage).isEmpty()).toList();
    }

    /**
     * The stage that does the work of this one for both guidance branches, on the same device; empty where there is
     * none. Where it runs, this one need not.
     */
    public OptionalInt whole(int stage) {
        return stages.get(stage).branch() == Branch.CONDITIONAL ? twin(stage, Branch.BOTH) : OptionalInt.empty();
    }

    /** The stage that does the work of this one for the conditional rows alone; empty where there is none. */
    public OptionalInt half(int stage) {
        return stages.get(stage).branch() == Branch.BOTH ? twin(stage, Branch.CONDITIONAL) : OptionalInt.empty();
    }

    private OptionalInt twin(int stage, Branch branch) {
        Stage it = stages.get(stage);
        Stage wanted = new Stage(it.segment(), it.device(), branch, it.lead(), it.rounds(), it.phase());
        int index = stages.indexOf(wanted);
        return index < 0 ? OptionalInt.empty() : OptionalInt.of(index);
    }

    /** Whether both guidance branches are predicted, at some steps at least. */
    public boolean isGuided() {
        return stages.stream().anyMatch(stage -> stage.branch() != Branch.CONDITIONAL);
    }

    /** The device on which latents live and the noise scheduler computes. */
    public int home() {
        return stages.get(predictors(0).getLast()).device();
    }
}
