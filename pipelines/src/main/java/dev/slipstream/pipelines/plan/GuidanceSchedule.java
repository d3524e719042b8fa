package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * At which steps both branches of classifier-free guidance are predicted; at the others the branch with the text alone,
 * in half the time where one device does both. As a strategy it says no more than that, and is put together with
 * others: {@code cache+guidance:stop=0.6}.
 *
 * @param start share of the steps after which guidance begins, 0 to 1 (Kynkäänniemi et al., "Applying Guidance in a
 *     Limited Interval Improves Sample and Distribution Quality in Diffusion Models", NeurIPS 2024)
 * @param stop share of the steps after which it ends
 * @param every so many steps the branch without the text is predicted anew, and what is kept of it serves in between
 * @param warmUp steps at the beginning at which it is predicted in any case
 * @param untold whether on one device steps without guidance are told what the branch without the text is, as in the
 *     published T-GATE for SDXL; it makes sense only where nothing else of the text is read there
 */
public record GuidanceSchedule(double start, double stop, int every, int warmUp, Kept kept, boolean untold)
    implements Strategy {

    /** What is kept of a step at which both branches were predicted. */
    public enum Kept {
        /** The prediction without the text. */
        UNCONDITIONAL,
        /** What the text made of it: the difference of the two. */
        DIFFERENCE
    }

    /** What a step takes of the branch without the text. */
    public enum Unconditional {
        PREDICTED,
        KEPT,
        /** Nothing: the step is not guided. */
        NONE
    }

    /** At every step. */
    public static final GuidanceSchedule ALWAYS = new GuidanceSchedule(0, 1, 1, 0, Kept.DIFFERENCE, false);

    private static final List<String> KEYS = List.of("start", "stop", "every", "warmup", "keep", "untold");

    public GuidanceSchedule {
        if (!(start >= 0 && stop <= 1 && start <= stop)) {
            throw new PlanException("guidance begins and ends between 0 and 1, in this order, not at " + start + " and "
                + stop);
        }
        if (every < 1 || warmUp < 0) {
            throw new PlanException("guidance is predicted every so many steps after a warm-up, not every " + every
                + " after " + warmUp);
        }
    }

    /** Told at steps without guidance what the branch with the text is. */
    public GuidanceSchedule(double start, double stop, int every, int warmUp, Kept kept) {
        this(start, stop, every, warmUp, kept, false);
    }

    /** Only in a part of the steps. */
    public GuidanceSchedule within(double from, double to) {
        return new GuidanceSchedule(from, to, every, warmUp, kept, untold);
    }

    /** @param steps from one prediction without the text to the next */
    public GuidanceSchedule withEvery(int steps) {
        return new GuidanceSchedule(start, stop, steps, warmUp, kept, untold);
    }

    static GuidanceSchedule parse(Settings settings) {
        settings.refuseOthers(KEYS);
        return new GuidanceSchedule(settings.share("start", 0), settings.share("stop", 1),
            settings.number("every", 1, 1, Settings.MOST_STEPS), settings.number("warmup", 0, 0, Settings.MOST_STEPS),
            settings.choice("keep", "difference", "unconditional").equals("difference") ? Kept.DIFFERENCE
                : Kept.UNCONDITIONAL, settings.flag("untold"));
    }

    /** Told at steps without guidance what the branch without the text is. */
    public GuidanceSchedule asUntold() {
        return new GuidanceSchedule(start, stop, every, warmUp, kept, true);
    }

    /** @param step from 0 */
    public Unconditional at(int step, int steps) {
        if (step < (int) (start * steps) || step >= (int) (stop * steps)) {
            return Unconditional.NONE;
        }
        boolean isFirst = step == (int) (start * steps);
        return isFirst || step < warmUp || (step - warmUp) % every == 0 ? Unconditional.PREDICTED : Unconditional.KEPT;
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
        if (every > 1) {
            text.append(",every=").append(every).append(",warmup=").append(warmUp)
                .append(",keep=").append(kept.name().toLowerCase(Locale.ROOT));
        }
        return text.append(untold ? ",untold" : "").toString();
    }

    private static String number(double share) {
        return share == (int) share ? Integer.toString((int) share) : Double.toString(share);
    }
}
