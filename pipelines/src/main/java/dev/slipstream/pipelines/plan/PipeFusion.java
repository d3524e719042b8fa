package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import dev.slipstream.pipelines.plan.Stage.Phase;
import java.util.ArrayList;
import java.util.List;

/**
 * Parts of a transformer on devices of their own, through which patches of the picture go one behind the other (Fang et
 * al., "PipeFusion: Patch-level Pipeline Parallelism for Diffusion Transformers Inference", 2024). A patch attends to
 * keys and values of the patches before it of the same step, and of those behind it of the step before; these stay on
 * their device, and between devices go hidden states alone.
 *
 * @param parts into which the blocks are divided
 * @param patches into which the picture is divided, at most: each has the same number of rows but for the last
 * @param warmUp steps at the beginning at which the whole picture goes through the parts, at least 1
 */
public record PipeFusion(int parts, int patches, int warmUp) implements Strategy {
    private static final List<String> KEYS = List.of("parts", "patches", "warmup");
    private static final int MOST_PARTS = 256;
    private static final int MOST_PATCHES = 256;

    public PipeFusion {
        if (parts < 1 || patches < 1) {
            throw new PlanException("pipefusion has at least 1 part and 1 patch, not " + parts + " and " + patches);
        }
        if (warmUp < 1) {
            throw new PlanException("the warm-up of pipefusion has at least 1 step, as patches attend to keys and "
                + "values of the step before, not " + warmUp);
        }
    }

    /** Two parts and two patches after one step of warm-up. */
    public static PipeFusion usual() {
        return new PipeFusion(2, 2, 1);
    }

    /** @param count of parts, and of patches */
    public PipeFusion withParts(int count) {
        return new PipeFusion(count, count, warmUp);
    }

    /** @param count of patches, at most */
    public PipeFusion withPatches(int count) {
        return new PipeFusion(parts, count, warmUp);
    }

    /** @param steps at the beginning that are synchronous, at least 1 */
    public PipeFusion withWarmUp(int steps) {
        return new PipeFusion(parts, patches, steps);
    }

    static PipeFusion parse(Settings settings) {
        settings.refuseOthers(KEYS);
        int parts = settings.number("parts", 2, 1, MOST_PARTS);
        return new PipeFusion(parts, settings.number("patches", parts, 1, MOST_PATCHES),
            settings.number("warmup", 1, 1, Settings.MOST_STEPS));
    }

    @Override
    public Cutting.Pipe cutting(int devices) {
        return new Cutting.Pipe(parts, patches);
    }

    @Override
    public Cadence cadence() {
        return new Cadence(warmUp, 0, 1, true, false);
    }

    @Override
    public int usualDevices() {
        return parts;
    }

    @Override
    public boolean scales() {
        return true;
    }

    @Override
    public void check(int devices, boolean guided) {
        if (devices > parts) {
            throw new PlanException("pipefusion has " + parts + " parts, which do not run on " + devices
                + " devices; take parts=" + devices + ", or fewer devices");
        }
    }

    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        check(devices, guided);
        Branch branch = guided ? Branch.BOTH : Branch.CONDITIONAL;
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            int part = isDivision(segments.get(segment)) ? 0 : Math.min(part(segments.get(segment)), parts - 1);
            stages.add(new Stage(segment, part * devices / parts, branch, 0, Rounds.ALL,
                isWhole(segments.get(segment)) ? Phase.SYNCHRONOUS : Phase.WINDOW));
        }
        return new Plan(spec(), devices, segments, stages, edges(segments, stages),
            cadence(), prediction);
    }

    private int part(SegmentOutline segment) {
        return cutting(parts).part(segment.component());
    }

    private int patch(SegmentOutline segment) {
        return cutting(parts).patch(segment.component());
    }

    private boolean isDivision(SegmentOutline segment) {
        return segment.component() == cutting(parts).division();
    }

    private boolean isWhole(SegmentOutline segment) {
        return segment.component() < cutting(parts).division() && patch(segment) < 0;
    }

    private boolean isOfPatch(SegmentOutline segment) {
        return segment.component() < cutting(parts).division() && patch(segment) >= 0;
    }

    /** In the window, in which patches go through the parts in their order. */
    private List<Edge> edges(List<SegmentOutline> segments, List<Stage> stages) {
        List<Edge> edges = new ArrayList<>();
        for (int reader = 0; reader < stages.size(); reader++) {
            SegmentOutline reading = segments.get(stages.get(reader).segment());
            for (int writer = 0; writer < stages.size() && !isWhole(reading); writer++) {
                SegmentOutline writing = segments.get(stages.get(writer).segment());
                int slip = isOfPatch(reading) && isOfPatch(writing) && patch(writing) > patch(reading) ? 1 : 0;
                if (!isWhole(writing)) {
                    for (String tensor : reading.reads()) {
                        if (writing.writes().contains(tensor)) {
                            edges.add(new Edge(tensor, writer, reader, slip));
                        }
                    }
                }
            }
        }
        return edges;
    }

    @Override
    public String spec() {
        return "pipefusion:parts=" + parts + ",patches=" + patches + ",warmup=" + warmUp;
    }
}
