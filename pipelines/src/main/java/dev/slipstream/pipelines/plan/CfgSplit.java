package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;

/** The two branches of classifier-free guidance on two devices, each with the whole denoiser: exact. */
public record CfgSplit() implements Strategy {
    @Override
    public Cutting cutting(int devices) {
        return Cutting.WHOLE;
    }

    @Override
    public boolean splitsGuidance() {
        return true;
    }

    @Override
    public void check(int devices, boolean guided) {
        if (!guided) {
            throw new PlanException(
                "cfg-split needs guidance; with guidance 1 there is only one branch: use sequential");
        }
        if (devices != 2) {
            throw new PlanException(
                "cfg-split runs on 2 devices, one a branch, not on " + devices);
        }
    }

    @Override
    public int usualDevices() {
        return 2;
    }

    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        check(devices, guided);
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            stages.add(new Stage(segment, 0, Branch.UNCONDITIONAL, 0));
            stages.add(new Stage(segment, 1, Branch.CONDITIONAL, 0));
        }
        return new Plan(spec(), devices, segments, stages, Edges.synchronous(segments, stages), Cadence.SYNCHRONOUS,
            prediction);
    }

    @Override
    public String spec() {
        return "cfg-split";
    }
}
