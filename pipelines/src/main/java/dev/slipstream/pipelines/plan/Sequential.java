package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Segments one after another, always with the newest values: exact. On one device the denoiser is one segment; on more
 * it is spread over them, which saves memory per device and no time.
 */
public record Sequential() implements Strategy {
    @Override
    public Cutting cutting(int devices) {
        return new Cutting.Parts(devices, Optional.empty());
    }

    @Override
    public boolean scales() {
        return true;
    }

    @Override
    public int usualDevices() {
        return 1;
    }

    @Override
    public Plan plan(List<SegmentOutline> segments, String prediction, int devices, boolean guided) {
        List<Stage> stages = new ArrayList<>();
        for (int segment = 0; segment < segments.size(); segment++) {
            stages.add(new Stage(segment, Math.floorMod(segments.get(segment).component(), devices),
                guided ? Branch.BOTH : Branch.CONDITIONAL, 0));
        }
        return new Plan(spec(), devices, segments, stages, Edges.synchronous(segments, stages), Cadence.SYNCHRONOUS,
            prediction);
    }

    @Override
    public String spec() {
        return "sequential";
    }
}
