package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.List;
import java.util.stream.IntStream;

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
 */
public record Plan(String strategy, int devices, List<SegmentOutline> segments, List<Stage> stages, List<Edge> edges,
    Cadence cadence, String prediction) {

    public Plan {
        segments = List.copyOf(segments);
        stages = List.copyOf(stages);
        edges = List.copyOf(edges);
    }

    public SegmentOutline segment(int stage) {
        return segments.get(stages.get(stage).segment());
    }

    /** What people call a stage: its segment, and what sets it apart from other stages of that segment. */
    public String label(int stage) {
        Stage it = stages.get(stage);
        String branch = switch (it.branch()) {
            case BOTH -> "";
            case UNCONDITIONAL -> "-";
            case CONDITIONAL -> "+";
        };
        return segment(stage).name() + branch + (it.lead() > 0 ? "(t+" + it.lead() + ")" : "");
    }

    /** The stage that stands for a segment and branch in synchronous steps. */
    public int primary(int segment, Branch branch) {
        return IntStream.range(0, stages.size())
            .filter(index -> stages.get(index).segment() == segment && stages.get(index).branch() == branch)
            .findFirst().orElseThrow(() -> new PlanException("no stage runs segment " + segments.get(segment).name()));
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

    /** The latest step up to this one at which a stage runs; the first step is synchronous, so there is one. */
    private int lastRun(int stage, int step, int steps) {
        int last = step;
        while (!runs(stage, last, steps)) {
            last--;
        }
        return last;
    }

    private boolean runs(int stage, int step, int steps) {
        return cadence.isSynchronous(step, steps)
            || cadence.isRound(step, steps) && stages.get(stage).rounds().includes(step);
    }

    /** The segment that writes a tensor, or -1 if it is an input of the whole graph. */
    public int producer(String tensor) {
        return IntStream.range(0, segments.size()).filter(index -> segments.get(index).writes().contains(tensor))
            .findFirst().orElse(-1);
    }

    /** Stages that make the prediction with the given lead, one a branch. */
    public List<Integer> predictors(int lead) {
        return IntStream.range(0, stages.size())
            .filter(stage -> stages.get(stage).lead() == lead && segment(stage).writes().contains(prediction))
            .boxed().toList();
    }

    /** The device on which latents live and the noise scheduler computes. */
    public int home() {
        return stages.get(predictors(0).getLast()).device();
    }
}
