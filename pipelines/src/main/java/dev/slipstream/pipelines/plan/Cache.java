package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Edge.Form;
import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A part of the denoiser runs at some steps only; at the others the rest takes what it made last, or what that leads to
 * expect. One device is enough.
 *
 * @param part which part
 * @param rounds at which steps it runs
 * @param depth of {@link Part#INNER}, how many layers the shell has that always runs
 * @param form what stands for what it did not make; empty for what its kind of network usually takes: a residual where
 *     the part adds to what enters it, as a transformer's blocks do, else the last value
 * @param order of a forecast
 * @param weight of the last change in what is extrapolated
 * @param warmUp steps at the beginning at which all runs, at least 1; {@code tail} likewise at the end
 * @param cut the name of a cut with two components, of which the first is the shell
 */
public record Cache(Part part, Rounds rounds, int depth, Optional<FormName> form, int order, double weight, int warmUp,
    int tail, Optional<String> cut) implements Strategy {

    /** What runs at some steps only. */
    public enum Part {
        /**
         * All but the layers next to input and output (Ma et al., "DeepCache: Accelerating Diffusion Models for Free",
         * CVPR 2024), and of a transformer all blocks but the first ones (MagCache, first-block cache).
         */
        INNER(Set.of()),
        /** All attention (Zhao et al., "Real-Time Video Generation with Pyramid Attention Broadcast", 2024). */
        ATTENTION(Set.of("attn", "attn1", "attn2")),
        /** What attends to the picture itself, and in a joint sequence to the text with it. */
        SELF_ATTENTION(Set.of("attn", "attn1")),
        /** What attends to the text alone. */
        CROSS_ATTENTION(Set.of("attn2")),
        /** The whole denoiser: predictions are continued. */
        ALL(Set.of());

        private final Set<String> modules;

        Part(Set<String> modules) {
            this.modules = modules;
        }

        private String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** {@link Edge.Form} by name. */
    public enum FormName {
        REPLACE,
        MEAN,
        RESIDUAL,
        FORECAST,
        EXTRAPOLATE;

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final List<String> KEYS = List.of("every", "first", "steps", "magnitudes", "calibrated",
        "calibration", "threshold", "most", "kept", "decide", "slip", "part", "depth", "form", "order", "weight",
        "warmup", "tail", "cut");
    private static final int USUAL_INTERVAL = 3;
    private static final int USUAL_DEPTH = 1;
    /** Without it some pictures change their composition: 12 dB to the exact ones at worst, and 41 with it. */
    private static final int USUAL_WARM_UP = 3;
    /** As published for large transformers. */
    private static final String USUAL_THRESHOLD = "0.06";
    private static final String USUAL_DECISION = "0.1";
    private static final int USUAL_REST = 3;
    private static final double USUAL_KEPT = 0.2;
    /** As published. */
    private static final double USUAL_WEIGHT = 0.5;
    private static final int MOST_WEIGHT = 100;
    /** Far more than any denoiser has layers. */
    private static final int MOST_DEPTH = 1000;
    /** Higher differences need more values than a combination has, and are noise. */
    private static final int MOST_ORDER = 4;

    public Cache {
        if (order < 1 || order > MOST_ORDER) {
            throw new PlanException("cache: order is a whole number from 1 to " + MOST_ORDER + ", not '" + order + "'");
        }
        if (rounds instanceof Rounds.Calibrated && (part != Part.INNER || cut.isPresent())) {
            throw new PlanException("cache: what is calibrated is part=inner with a depth, and no other part or cut");
        }
        if (part == Part.ALL && form.equals(Optional.of(FormName.EXTRAPOLATE))) {
            throw new PlanException("cache: form=extrapolate is for a part of the denoiser; take form=forecast for "
                + "part=all");
        }
        if (rounds instanceof Rounds.Decided && !(part == Part.INNER && depth > 0 && cut.isEmpty()
            && (form.isEmpty() || form.get() == FormName.REPLACE || form.get() == FormName.RESIDUAL))) {
            throw new PlanException("cache: by the first block is decided whether those behind it run: with "
                + "part=inner, a depth of at least 1 and form=residual or replace, and without cut");
        }
    }

    /** Every third step with a shell of one layer, after three steps at which all runs. */
    public static Cache usual() {
        return new Cache(Part.INNER, new Rounds.Every(USUAL_INTERVAL), USUAL_DEPTH, Optional.empty(), 1,
            USUAL_WEIGHT, USUAL_WARM_UP, 0, Optional.empty());
    }

    /** @param steps from one run of the part to the next */
    public Cache withEvery(int steps) {
        return with(new Rounds.Every(steps));
    }

    /**
     * Runs the part where the first block tells that its input has moved ("first-block cache", ParaAttention, 2024).
     *
     * @param threshold of the change of what the first block adds, relative to the last run
     * @param slip 0 for the change of the same step, for which the host waits; 1 for that of the step before
     */
    public Cache decidedBy(double threshold, int slip) {
        return with(new Rounds.Decided(Cutting.Shell.ADDED, new Rounds.Rule.Above(threshold), slip));
    }

    /** @param steps at which the part runs */
    public Cache with(Rounds steps) {
        return new Cache(part, steps, depth, form, order, weight, warmUp, tail, cut);
    }

    /** Another part. */
    public Cache of(Part other) {
        return new Cache(other, rounds, depth, form, order, weight, warmUp, tail, cut);
    }

    /** @param layers of the shell */
    public Cache withDepth(int layers) {
        return new Cache(part, rounds, layers, form, order, weight, warmUp, tail, cut);
    }

    /** What stands for what was not made. */
    public Cache with(FormName name) {
        return new Cache(part, rounds, depth, Optional.of(name), order, weight, warmUp, tail, cut);
    }

    /** A forecast of that order. */
    public Cache withOrder(int highest) {
        return new Cache(part, rounds, depth, Optional.of(FormName.FORECAST), highest, weight, warmUp, tail, cut);
    }

    /** Extrapolated with that weight. */
    public Cache withWeight(double ofChange) {
        return new Cache(part, rounds, depth, Optional.of(FormName.EXTRAPOLATE), order, ofChange, warmUp, tail, cut);
    }

    /** @param steps at the beginning at which all runs, at least 1 */
    public Cache withWarmUp(int steps) {
        return new Cache(part, rounds, depth, form, order, weight, steps, tail, cut);
    }

    /** @param steps at the end at which all runs */
    public Cache withTail(int steps) {
        return new Cache(part, rounds, depth, form, order, weight, warmUp, steps, cut);
    }

    static Cache parse(Settings settings) {
        settings.refuseOthers(KEYS);
        return new Cache(settings.word("part", Part.values(), Part::word).orElse(Part.INNER), rounds(settings),
            settings.number("depth", asksForModel(settings) ? 0 : USUAL_DEPTH, 0, MOST_DEPTH),
            settings.word("form", FormName.values(), FormName::word), settings.number("order", 1, 1, MOST_ORDER),
            settings.real("weight", USUAL_WEIGHT, MOST_WEIGHT),
            settings.number("warmup", USUAL_WARM_UP, 1, Settings.MOST_STEPS),
            settings.number("tail", 0, 0, Settings.MOST_STEPS), settings.text("cut"));
    }

    private static Rounds rounds(Settings settings) {
        settings.refuseTogether("calibrated", "calibration", "magnitudes", "every", "first", "steps", "decide");
        settings.refuseTogether("calibration", "magnitudes", "every", "first", "steps", "decide");
        settings.refuseTogether("magnitudes", "every", "first", "steps", "decide");
        settings.refuseTogether("decide", "every", "first", "steps");
        if (settings.has("decide")) {
            settings.choice("decide", "first-block");
            return new Rounds.Decided(Cutting.Shell.ADDED, new Rounds.Rule.Above(settings.positive("threshold",
                settings.text("threshold").orElse(USUAL_DECISION))), settings.number("slip", 0, 0, 1));
        }
        return settings.has("magnitudes") || asksForModel(settings) ? magnitudes(settings)
            : settings.rounds(new Rounds.Every(USUAL_INTERVAL));
    }

    private static Rounds magnitudes(Settings settings) {
        double threshold = settings.positive("threshold", settings.text("threshold").orElse(USUAL_THRESHOLD));
        int most = settings.number("most", USUAL_REST, 1, Settings.MOST_STEPS);
        double kept = settings.share("kept", USUAL_KEPT);
        return asksForModel(settings)
            ? new Rounds.Calibrated(settings.text("calibration"), threshold, most, kept, List.of())
            : new Rounds.Magnitudes(settings.list("magnitudes").stream()
                .map(ratio -> settings.positive("magnitudes", ratio)).toList(), threshold, most, kept);
    }

    private static boolean asksForModel(Settings settings) {
        return settings.flag("calibrated") || settings.has("calibration");
    }

    @Override
    public Cache calibrated(Function<Cache, Rounds> known) {
        return rounds instanceof Rounds.Calibrated ? with(known.apply(this)) : this;
    }

    @Override
    public Cutting cutting(int devices) {
        return cut.<Cutting>map(name -> new Cutting.Parts(2, cut)).orElseGet(() -> switch (part) {
            case INNER -> new Cutting.Shell(depth, decides());
            case ALL -> Cutting.WHOLE;
            case ATTENTION, SELF_ATTENTION, CROSS_ATTENTION -> new Cutting.Modules(part.modules);
        });
    }

    @Override
    public boolean decides() {
        return rounds instanceof Rounds.Decided;
    }

    @Override
    public Cache counted(int every) {
        return decides() ? withEvery(every) : this;
    }

    @Override
    public Optional<String> refusal(Strategy other) {
        return decides() && !(other instanceof CfgSplit) ? Optional.of("when " + spec() + " runs is decided in the "
            + "loop, and only cfg-split goes with that") : Optional.empty();
    }

    @Override
    public Cadence cadence() {
        return new Cadence(warmUp, tail, 1, true, false);
    }

    @Override
    public int usualDevices() {
        return 1;
    }

    @Override
    public void check(int devices, boolean guided) {
        if (devices != 1) {
            throw new PlanException("cache runs on 1 device, not on " + devices);
        }
    }

    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        return plan(segments, prediction, devices, guided, rounds);
    }

    /**
     * Beside a schedule of guidance. What is extrapolated is so for the text's rows alone, as published: where both
     * branches are predicted, the part runs.
     */
    Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided,
        GuidanceSchedule guidance) {
        return plan(segments, prediction, devices, guided, form.equals(Optional.of(FormName.EXTRAPOLATE))
            ? rounds.or(guidance.both()) : rounds);
    }

    private Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided, Rounds at) {
        check(devices, guided);
        Branch branch = guided ? Branch.BOTH : Branch.CONDITIONAL;
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            stages.add(new Stage(segment, 0, branch, 0,
                part == Part.ALL || segments.get(segment).component() == 1 ? at : Rounds.ALL));
        }
        List<Edge> edges = Edges.synchronous(segments, stages).stream().map(edge ->
            new Edge(edge.tensor(), edge.from(), edge.to(), edge.slip(), form(segments, stages, edge))).toList();
        return new Plan(spec(), devices, segments, stages, edges, cadence(),
            prediction, part == Part.ALL && form.equals(Optional.of(FormName.FORECAST)) ? new Form.Forecast(order)
                : Form.LAST, GuidanceSchedule.ALWAYS);
    }

    /** Only what the part makes for the rest can be missing. */
    private Form form(List<SegmentOutline> segments, List<Stage> stages, Edge edge) {
        SegmentOutline writer = segments.get(stages.get(edge.from()).segment());
        if (writer.component() != 1 || segments.get(stages.get(edge.to()).segment()).component() == 1) {
            return Form.LAST;
        }
        Optional<String> base = Optional.ofNullable(writer.residuals().get(edge.tensor()));
        return switch (form.orElse(base.isPresent() ? FormName.RESIDUAL : FormName.REPLACE)) {
            case REPLACE -> Form.LAST;
            case MEAN -> new Form.Mean();
            case RESIDUAL -> new Form.Residual(base.orElseThrow(() -> new PlanException("cache: what leaves the part "
                + "that rests, " + edge.tensor() + ", is nothing that enters it and a change; take form=replace")));
            case FORECAST -> new Form.Forecast(order);
            case EXTRAPOLATE -> new Form.Extrapolated(weight);
        };
    }

    @Override
    public String spec() {
        StringBuilder text = new StringBuilder("cache:").append(rounds);
        text.append(part == Part.INNER ? ",depth=" + depth : ",part=" + part.word());
        form.ifPresent(name -> text.append(",form=").append(name.word()));
        if (form.equals(Optional.of(FormName.FORECAST))) {
            text.append(",order=").append(order);
        }
        if (form.equals(Optional.of(FormName.EXTRAPOLATE))) {
            text.append(",weight=").append(weight);
        }
        return text.append(",warmup=").append(warmUp).append(tail > 0 ? ",tail=" + tail : "")
            .append(cut.map(name -> ",cut=" + name).orElse("")).toString();
    }
}
