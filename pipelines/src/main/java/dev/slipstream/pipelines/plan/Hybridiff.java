package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.GuidanceSchedule.Kept;
import dev.slipstream.pipelines.plan.Stage.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Two devices with a branch of guidance each, exactly as {@link CfgSplit}; but in a window of a few steps with a
 * component each, as {@link AsyncDiff}, for the branch with the text alone (Jung et al., "Accelerating Diffusion via
 * Hybrid Data-Pipeline Parallelism Based on Conditional Guidance Scheduling", CVPR 2026). With components of equal work
 * a step of the window takes half of the time of the others: what would be predicted without the text is left out.
 *
 * @param start steps before the window, at least 1; where it is decided in the loop, at most so many
 * @param length steps of the window, at least 1; the published one has 5 of 50
 * @param decided how the loop decides where the window begins; empty where it begins behind these steps
 */
public record Hybridiff(int start, int length, Optional<Decided> decided, Guidance guidance, Optional<String> cut)
    implements Strategy {
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

    /**
     * The window begins where the distance of the two predictions, {@code Σ|with − without| / Σ|without|}, hardly falls
     * any more ({@link Rounds.Rule.Flat}).
     *
     * @param lookback over how many steps the fall is taken, at least 1
     * @param threshold of the fall in a step, at least 0
     * @param slip 0 for a window right behind what was measured, before which the host waits for the end of each step;
     *     1 for one that begins a step later, so that devices always have something queued
     */
    public record Decided(int lookback, double threshold, int slip) {
    }

    private static final List<String> KEYS = List.of("start", "length", "decide", "lookback", "threshold", "slip",
        "latest", "guidance", "cut");
    private static final int USUAL_START = 12;
    private static final Decided USUAL_DECISION = new Decided(12, 0.0004, 1);
    private static final int USUAL_LATEST = 40;
    private static final int USUAL_LENGTH = 5;
    private static final int DEVICES = 2;
    private static final CfgSplit OUTSIDE = new CfgSplit();

    public Hybridiff {
        if (start < 1 || length < 1) {
            throw new PlanException("the window of hybridiff has at least 1 step, and as many before it, not " + length
                + " and " + start);
        }
        decided.ifPresent(by -> rule(by, start, length));
    }

    /** A window of five steps behind twelve, with guidance kept. */
    public static Hybridiff usual() {
        return new Hybridiff(USUAL_START, USUAL_LENGTH, Optional.empty(), Guidance.KEPT, Optional.empty());
    }

    /**
     * Another window.
     *
     * @param first its first step, counted from 0, at least 1; the latest one, where it is decided
     * @param steps that it has, at least 1
     */
    public Hybridiff within(int first, int steps) {
        return new Hybridiff(first, steps, decided, guidance, cut);
    }

    /** A window that begins where the loop decides. @param latest its first step if nothing is flat before */
    public Hybridiff decidedBy(Decided decision, int latest) {
        return new Hybridiff(latest, length, Optional.of(decision), guidance, cut);
    }

    /** With other guidance in the window. */
    public Hybridiff with(Guidance other) {
        return new Hybridiff(start, length, decided, other, cut);
    }

    static Hybridiff parse(Settings settings) {
        settings.refuseOthers(KEYS);
        Optional<Decided> decided = decided(settings);
        int start = decided.isPresent() ? settings.number("latest", USUAL_LATEST, 1, Settings.MOST_STEPS)
            : settings.number("start", USUAL_START, 1, Settings.MOST_STEPS);
        return new Hybridiff(start, settings.number("length", USUAL_LENGTH, 1, Settings.MOST_STEPS), decided,
            settings.word("guidance", Guidance.values(), Guidance::word).orElse(Guidance.KEPT), settings.text("cut"));
    }

    private static Optional<Decided> decided(Settings settings) {
        if (!settings.has("decide")) {
            Stream.of("lookback", "threshold", "slip", "latest").filter(settings::has).findFirst().ifPresent(key -> {
                throw new PlanException("hybridiff: " + key + " is for decide=distance");
            });
            return Optional.empty();
        }
        settings.refuseTogether("decide", "start");
        settings.choice("decide", "distance");
        return Optional.of(new Decided(
            settings.number("lookback", USUAL_DECISION.lookback, 1, Settings.MOST_STEPS),
            settings.text("threshold").map(text -> settings.positive("threshold", text))
                .orElse(USUAL_DECISION.threshold),
            settings.number("slip", USUAL_DECISION.slip, 0, 1)));
    }

    /** @throws PlanException if the window cannot begin so early */
    private static Rounds.Rule.Flat rule(Decided by, int latest, int length) {
        int earliest = by.lookback + 1 + by.slip;
        if (latest < earliest) {
            throw new PlanException("hybridiff: with lookback=" + by.lookback + " and slip=" + by.slip + " the window "
                + "begins at step " + earliest + " at the soonest, so latest is no less, not " + latest);
        }
        return new Rounds.Rule.Flat(by.lookback, by.threshold, by.slip, latest, length);
    }

    private Optional<Rounds.Rule.Flat> rule() {
        return decided.map(by -> rule(by, start, length));
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
        int first = rule().map(Rounds.Rule.Flat::earliest).orElse(start);
        return new Cadence(first, start - first + length, 0, 1, true, false);
    }

    @Override
    public boolean decides() {
        return decided.isPresent();
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

    /**
     * A stage that both plans have at the same place serves all steps, unless it is decided at some of them of which
     * plan it is: there the two read other values.
     */
    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        check(devices, guided);
        Plan outside = OUTSIDE.plan(segments, prediction, devices, true);
        Plan inside = inside().plan(segments, prediction, devices, false);
        List<Stage> stages = new ArrayList<>();
        for (int index = 0; index < segments.size(); index++) {
            int segment = index;
            outside.stages().stream().filter(stage -> stage.segment() == segment)
                .map(stage -> isShared(stage, inside) ? stage : apart(stage, Phase.SYNCHRONOUS))
                .forEach(stages::add);
            inside.stages().stream().filter(stage -> stage.segment() == segment && !isShared(stage, outside))
                .map(stage -> apart(stage, Phase.WINDOW)).forEach(stages::add);
        }
        List<Edge> edges = inside.edges().stream().map(edge -> new Edge(edge.tensor(),
            placed(inside.stages().get(edge.from()), stages), placed(inside.stages().get(edge.to()), stages),
            edge.slip())).toList();
        return new Plan(spec(), devices, segments, stages, edges, cadence(), prediction, Edge.Form.LAST,
            new GuidanceSchedule(0, 1, 1, 0, guidance.kept).with(new Rounds.Outside(cadence())));
    }

    private boolean isShared(Stage stage, Plan other) {
        return decided.isEmpty() && other.stages().contains(stage);
    }

    private Stage apart(Stage stage, Phase phase) {
        Rounds rounds = rule().<Rounds>map(rule -> new Rounds.Window(rule, phase == Phase.WINDOW))
            .orElse(stage.rounds());
        return new Stage(stage.segment(), stage.device(), stage.branch(), stage.lead(), rounds, phase);
    }

    /** Where a stage of the window is among all. */
    private int placed(Stage inside, List<Stage> stages) {
        return Math.max(stages.indexOf(inside), stages.indexOf(apart(inside, Phase.WINDOW)));
    }

    @Override
    public String spec() {
        return "hybridiff:" + rule().map(rule -> "decide=distance," + rule).orElse("start=" + start)
            + ",length=" + length + ",guidance=" + guidance.word() + cut.map(name -> ",cut=" + name).orElse("");
    }
}
