package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The inner part of the denoiser runs at some steps only; at the others its shell, which always runs, takes what it
 * made last (Ma et al., "DeepCache: Accelerating Diffusion Models for Free", CVPR 2024). One device is enough.
 *
 * @param rounds at which steps the inner part runs
 * @param depth how many layers the shell has: {@link #shellDepth}
 * @param warmUp steps at the beginning at which all runs, at least 1; {@code tail} likewise at the end
 * @param cut the name of a cut with two components, of which the first is the shell
 */
public record Cache(Rounds rounds, int depth, int warmUp, int tail, Optional<String> cut) implements Strategy {
    private static final List<String> KEYS = List.of("every", "steps", "depth", "warmup", "tail", "cut");
    private static final int USUAL_INTERVAL = 3;
    private static final int USUAL_DEPTH = 1;
    /** Without it some pictures change their composition: 12 dB to the exact ones at worst, and 41 with it. */
    private static final int USUAL_WARM_UP = 3;
    /** Far more than any denoiser has layers. */
    private static final int MOST_DEPTH = 1000;

    /** Every third step with a shell of one layer, after three steps at which all runs. */
    public static Cache usual() {
        return new Cache(new Rounds.Every(USUAL_INTERVAL), USUAL_DEPTH, USUAL_WARM_UP, 0, Optional.empty());
    }

    /** @param steps from one run of the inner part to the next */
    public Cache withEvery(int steps) {
        return new Cache(new Rounds.Every(steps), depth, warmUp, tail, cut);
    }

    /** @param layers of the shell */
    public Cache withDepth(int layers) {
        return new Cache(rounds, layers, warmUp, tail, cut);
    }

    static Cache parse(Settings settings) {
        settings.refuseOthers(KEYS);
        if (settings.has("every") && settings.has("steps")) {
            throw new PlanException("cache: every and steps both say when the inner part runs; leave one out");
        }
        Rounds rounds = settings.text("steps").<Rounds>map(list -> new Rounds.At(new TreeSet<>(Arrays.stream(
                list.split("\\+", -1)).map(step -> settings.number("steps", step, 0, Settings.MOST_STEPS)).toList())))
            .orElseGet(() -> new Rounds.Every(settings.number("every", USUAL_INTERVAL, 1, Settings.MOST_STEPS)));
        return new Cache(rounds, settings.number("depth", USUAL_DEPTH, 0, MOST_DEPTH),
            settings.number("warmup", USUAL_WARM_UP, 1, Settings.MOST_STEPS),
            settings.number("tail", 0, 0, Settings.MOST_STEPS),
            settings.text("cut"));
    }

    @Override
    public Cutting cutting(int devices) {
        return cut.<Cutting>map(name -> new Cutting.Parts(2, cut)).orElse(new Cutting.Shell(depth));
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
        check(devices, guided);
        Branch branch = guided ? Branch.BOTH : Branch.CONDITIONAL;
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            boolean inner = segments.get(segment).component() == 1;
            stages.add(new Stage(segment, 0, branch, 0, inner ? rounds : Rounds.ALL));
        }
        return new Plan(spec(), devices, segments, stages, Edges.synchronous(segments, stages),
            new Cadence(warmUp, tail, 1, true, false), prediction);
    }

    @Override
    public String spec() {
        return "cache:" + rounds + ",depth=" + depth + ",warmup=" + warmUp
            + (tail > 0 ? ",tail=" + tail : "") + cut.map(name -> ",cut=" + name).orElse("");
    }
}
