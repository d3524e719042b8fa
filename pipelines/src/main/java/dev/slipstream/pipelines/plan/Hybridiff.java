package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.GuidanceSchedule.Kept;
import dev.slipstream.pipelines.plan.Stage.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Two devices with a branch of guidance each, exactly as {@link CfgSplit}; but in a window of a few steps with a
 * component each, as {@link AsyncDiff}, for the branch with the text alone (Jung et al., "Accelerating Diffusion via
 * Hybrid Data-Pipeline Parallelism Based on Conditional Guidance Scheduling", CVPR 2026). With components of equal work
 * a step of the window takes half of the time of the others: what would be predicted without the text is left out.
 *
 * @param start steps before the window, at least 1
 * @param length steps of the window, at least 1; the published one has 5 of 50
 */
public record Hybridiff(int start, int length, Guidance guidance, Optional<String> cut) implements Strategy {
    /** What guidance is in the window. */
    public enum Guidance {
        /** The last difference that the text made before the window. */
        KEPT(Kept.DIFFERENCE),
        /** None, as in the published code, where both branches are one there. */
        NONE(Kept.NONE);

        private final Kept kept;

        Guidance(Kept kept) {
            this.kept = kept;
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final List<String> KEYS = List.of("start", "length", "guidance", "cut");
    private static final int USUAL_START = 12;
    private static final int USUAL_LENGTH = 5;
    private static final int DEVICES = 2;
    private static final CfgSplit OUTSIDE = new CfgSplit();

    public Hybridiff {
        if (start < 1 || length < 1) {
            throw new PlanException("the window of hybridiff has at least 1 step, and as many before it, not " + length
                + " and " + start);
        }
    }

    /** A window of five steps behind twelve, with guidance kept. */
    public static Hybridiff usual() {
        return new Hybridiff(USUAL_START, USUAL_LENGTH, Guidance.KEPT, Optional.empty());
    }

    /**
     * Another window.
     *
     * @param first its first step, counted from 0, at least 1
     * @param steps that it has, at least 1
     */
    public Hybridiff within(int first, int steps) {
        return new Hybridiff(first, steps, guidance, cut);
    }

    /** With other guidance in the window. */
    public Hybridiff with(Guidance other) {
        return new Hybridiff(start, length, other, cut);
    }

    static Hybridiff parse(Settings settings) {
        settings.refuseOthers(KEYS);
        return new Hybridiff(settings.number("start", USUAL_START, 1, Settings.MOST_STEPS),
            settings.number("length", USUAL_LENGTH, 1, Settings.MOST_STEPS),
            settings.word("guidance", Guidance.values(), Guidance::word).orElse(Guidance.KEPT), settings.text("cut"));
    }

    private AsyncDiff inside() {
        return new AsyncDiff(DEVICES, cadence(), AsyncDiff.Staleness.PIPELINED, cut);
    }

    @Override
    public Cutting cutting(int devices) {
        return inside().cutting(devices);
    }

    @Override
    public Cadence cadence() {
        return new Cadence(start, length, 0, 1, true, false);
    }

    @Override
    public boolean splitsGuidance() {
        return true;
    }

    @Override
    public int usualDevices() {
        return DEVICES;
    }

    @Override
    public Optional<String> refusal(Strategy other) {
        return Optional.of("hybridiff is two plans already, each at its steps, and no other goes with it");
    }

    @Override
    public void check(int devices, boolean guided) {
        if (!guided) {
            throw new PlanException("hybridiff needs guidance; with guidance 1 there is only one branch: use "
                + "asyncdiff");
        }
        if (devices != DEVICES) {
            throw new PlanException("hybridiff runs on 2 devices, not on " + devices);
        }
    }

    /** A stage that both plans have at the same place serves all steps. */
    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        check(devices, guided);
        Plan outside = OUTSIDE.plan(segments, prediction, devices, true);
        Plan inside = inside().plan(segments, prediction, devices, false);
        List<Stage> stages = new ArrayList<>();
        for (int index = 0; index < segments.size(); index++) {
            int segment = index;
            outside.stages().stream().filter(stage -> stage.segment() == segment)
                .map(stage -> inside.stages().contains(stage) ? stage : stage.in(Phase.SYNCHRONOUS))
                .forEach(stages::add);
            inside.stages().stream().filter(stage -> stage.segment() == segment && !outside.stages().contains(stage))
                .map(stage -> stage.in(Phase.WINDOW)).forEach(stages::add);
        }
        List<Edge> edges = inside.edges().stream().map(edge -> new Edge(edge.tensor(),
            placed(inside.stages().get(edge.from()), stages), placed(inside.stages().get(edge.to()), stages),
            edge.slip())).toList();
        return new Plan(spec(), devices, segments, stages, edges, cadence(), prediction, Edge.Form.LAST,
            new GuidanceSchedule(0, 1, 1, 0, guidance.kept).with(new Rounds.Outside(cadence())));
    }

    /** Where a stage of the window is among all. */
    private static int placed(Stage inside, List<Stage> stages) {
        return Math.max(stages.indexOf(inside), stages.indexOf(inside.in(Phase.WINDOW)));
    }

    @Override
    public String spec() {
        return "hybridiff:start=" + start + ",length=" + length + ",guidance=" + guidance.word()
            + cut.map(name -> ",cut=" + name).orElse("");
    }
}
