package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * At which steps both branches of classifier-free guidance are predicted; at the others the branch with the text alone,
 * in half the time where one device does both. As a strategy it says no more than that, and is put together with
 * others: {@code cache+guidance:stop=0.6}.
 *
 * @param start share of the steps after which guidance begins, 0 to 1 (Kynkäänniemi et al., "Applying Guidance in a
 *     Limited Interval Improves Sample and Distribution Quality in Diffusion Models", NeurIPS 2024)
 * @param stop share of the steps after which it ends
 * @param rounds the steps at which the branch without the text is predicted anew; in between serves what is kept of it
 * @param warmUp steps at the beginning at which it is predicted in any case
 * @param low how low frequencies of a kept difference grow, for {@link Kept#FREQUENCIES}; {@code high} likewise
 * @param untold whether on one device steps without guidance are told what the branch without the text is, as in the
 *     published T-GATE for SDXL; it makes sense only where nothing else of the text is read there
 */
public record GuidanceSchedule(double start, double stop, Rounds rounds, int warmUp, Kept kept, Growth low, Growth high,
    boolean untold) implements Strategy {

    /** What is kept of a step at which both branches were predicted. */
    public enum Kept {
        /** The prediction without the text. */
        UNCONDITIONAL,
        /** What the text made of it: the difference of the two. */
        DIFFERENCE,
        /**
         * The difference, of which low and high frequencies grow apart (Lv et al., "FasterCache: Training-Free Video
         * Diffusion Model Acceleration with High Quality", ICLR 2025). Low ones are those within a fifth of the shorter
         * side around 0.
         */
        FREQUENCIES,
        /** Nothing: the steps in between are not guided. */
        NONE;

        private String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * By what a kept difference is multiplied at each step at which it serves, once more at each.
     *
     * @param start share of the steps after which it grows, 0 to 1
     * @param stop share of the steps after which it grows no more
     */
    public record Growth(double factor, double start, double stop) {
        /** None at any step. */
        public static final Growth NONE = new Growth(1, 0, 1);
        /** As published: lows grow while the picture's forms come about. */
        static final Growth USUAL_LOW = new Growth(1.1, 0.1, 0.9);
        /** As published: highs grow where details do. */
        static final Growth USUAL_HIGH = new Growth(1.1, 0.7, 1);

        public Growth {
            if (!(factor >= 0 && factor <= MOST_GROWTH) || !(start >= 0 && stop <= 1 && start <= stop)) {
                throw new PlanException("a difference grows by a factor from 0 to " + MOST_GROWTH + " between two "
                    + "shares of the steps, not by " + factor + " between " + start + " and " + stop);
            }
        }

        /** What a difference of a step is multiplied by at a later one. */
        public double between(int made, int step, int steps) {
            int first = Math.max(made + 1, (int) (start * steps));
            int last = Math.min(step + 1, (int) (stop * steps));
            return Math.pow(factor, Math.max(0, last - first));
        }

        /** @param name of the frequencies that grow */
        private static Growth parse(Settings settings, String name, Growth usual) {
            return new Growth(settings.real(name, usual.factor, MOST_GROWTH),
                settings.share(name + "-start", usual.start), settings.share(name + "-stop", usual.stop));
        }

        private String text(String name) {
            return "," + name + "=" + factor + "," + name + "-start=" + number(start) + "," + name + "-stop="
                + number(stop);
        }
    }

    /** What a step takes of the branch without the text. */
    public enum Unconditional {
        PREDICTED,
        KEPT,
        /** Nothing: the step is not guided. */
        NONE
    }

    /** At every step. */
    public static final GuidanceSchedule ALWAYS = new GuidanceSchedule(0, 1, 1, 0, Kept.DIFFERENCE);

    private static final List<String> KEYS = List.of("start", "stop", "every", "first", "steps", "warmup", "keep",
        "untold");
    private static final List<String> GROWTHS = List.of("low", "low-start", "low-stop", "high", "high-start",
        "high-stop");
    /** More leaves nothing of any picture. */
    private static final int MOST_GROWTH = 100;

    public GuidanceSchedule {
        if (!(start >= 0 && stop <= 1 && start <= stop)) {
            throw new PlanException("guidance begins and ends between 0 and 1, in this order, not at " + start + " and "
                + stop);
        }
        if (warmUp < 0) {
            throw new PlanException("the warm-up of guidance cannot have " + warmUp + " steps");
        }
        if (kept != Kept.FREQUENCIES && !(low.equals(Growth.NONE) && high.equals(Growth.NONE))) {
            throw new PlanException("guidance: low and high frequencies grow with keep=frequencies alone");
        }
    }

    /**
     * Told at steps without guidance what the branch with the text is; frequencies grow as published.
     *
     * @param every so many steps after the warm-up the branch without the text is predicted anew
     */
    public GuidanceSchedule(double start, double stop, int every, int warmUp, Kept kept) {
        this(start, stop, new Rounds.Every(every, Math.max(0, warmUp)), warmUp, kept,
            kept == Kept.FREQUENCIES ? Growth.USUAL_LOW : Growth.NONE,
            kept == Kept.FREQUENCIES ? Growth.USUAL_HIGH : Growth.NONE, false);
    }

    /** Only in a part of the steps. */
    public GuidanceSchedule within(double from, double to) {
        return new GuidanceSchedule(from, to, rounds, warmUp, kept, low, high, untold);
    }

    /** @param steps from one prediction without the text to the next, counted from the warm-up */
    public GuidanceSchedule withEvery(int steps) {
        return with(new Rounds.Every(steps, warmUp));
    }

    /** @param steps at which the branch without the text is predicted, beside those of the warm-up */
    public GuidanceSchedule with(Rounds steps) {
        return new GuidanceSchedule(start, stop, steps, warmUp, kept, low, high, untold);
    }

    /** Keeps the difference, of which low and high frequencies grow so. */
    public GuidanceSchedule growing(Growth lows, Growth highs) {
        return new GuidanceSchedule(start, stop, rounds, warmUp, Kept.FREQUENCIES, lows, highs, untold);
    }

    static GuidanceSchedule parse(Settings settings) {
        settings.refuseOthers(Stream.concat(KEYS.stream(), GROWTHS.stream()).toList());
        Kept kept = settings.word("keep", Kept.values(), Kept::word).orElse(Kept.DIFFERENCE);
        if (kept != Kept.FREQUENCIES) {
            GROWTHS.stream().filter(settings::has).findFirst().ifPresent(key -> {
                throw new PlanException("guidance: " + key + " is for keep=frequencies");
            });
        }
        int warmUp = settings.number("warmup", 0, 0, Settings.MOST_STEPS);
        GuidanceSchedule usual = new GuidanceSchedule(settings.share("start", 0), settings.share("stop", 1), 1, warmUp,
            kept).with(settings.rounds(new Rounds.Every(1, warmUp)));
        GuidanceSchedule told = kept != Kept.FREQUENCIES ? usual
            : usual.growing(Growth.parse(settings, "low", usual.low), Growth.parse(settings, "high", usual.high));
        return settings.flag("untold") ? told.asUntold() : told;
    }

    /** Told at steps without guidance what the branch without the text is. */
    public GuidanceSchedule asUntold() {
        return new GuidanceSchedule(start, stop, rounds, warmUp, kept, low, high, true);
    }

    /** What the tensor is called that has the low frequencies of a prediction. */
    public static String low(String prediction) {
        return prediction + ".low";
    }

    /** @param step from 0 */
    public Unconditional at(int step, int steps) {
        if (step < (int) (start * steps) || step >= (int) (stop * steps)) {
            return Unconditional.NONE;
        }
        boolean isFirst = step == (int) (start * steps);
        if (isFirst || step < warmUp || rounds.includes(step, steps)) {
            return Unconditional.PREDICTED;
        }
        return kept == Kept.NONE ? Unconditional.NONE : Unconditional.KEPT;
    }

    /** The steps at which both branches are predicted. */
    Rounds both() {
        return new Rounds.Guided(this);
    }

    @Override
    public boolean partsFrequencies() {
        return kept == Kept.FREQUENCIES;
    }

    /** Whether it leaves the branch without the text out at a step, and predicts it at a later one. */
    boolean restsBetween(int steps) {
        return IntStream.range(1, steps).anyMatch(step -> at(step, steps) == Unconditional.PREDICTED
            && at(step - 1, steps) != Unconditional.PREDICTED);
    }

    @Override
    public Cutting cutting(int devices) {
        return Cutting.WHOLE;
    }

    @Override
    public int usualDevices() {
        return 1;
    }

    /** Each stage for both branches and, beside it, for the one with the text. */
    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            if (guided) {
                stages.add(new Stage(segment, 0, Branch.BOTH, 0));
            }
            stages.add(new Stage(segment, 0, Branch.CONDITIONAL, 0));
        }
        return new Plan(spec(), devices, segments, stages, Edges.synchronous(segments, stages), Cadence.SYNCHRONOUS,
            prediction, Edge.Form.LAST, guided ? this : ALWAYS);
    }

    @Override
    public String spec() {
        StringBuilder text = new StringBuilder("guidance:start=").append(number(start)).append(",stop=")
            .append(number(stop));
        if (!rounds.equals(new Rounds.Every(1, warmUp))) {
            text.append(',').append(rounds instanceof Rounds.Every(int every, int first)
                ? "every=" + every + (first == warmUp ? "" : ",first=" + first) : rounds).append(",warmup=")
                .append(warmUp).append(",keep=").append(kept.word());
        }
        if (partsFrequencies()) {
            text.append(low.text("low")).append(high.text("high"));
        }
        return text.append(untold ? ",untold" : "").toString();
    }

    private static String number(double share) {
        return share == (int) share ? Integer.toString((int) share) : Double.toString(share);
    }
}
