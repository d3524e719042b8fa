package dev.slipstream.pipelines.plan;

import dev.slipstream.pipelines.plan.Stage.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Derives edges from who reads and writes what, so that a strategy only has to say how old a value may be. */
final class Edges {
    private Edges() {
    }

    /** Says where a stage takes the output of a segment from, and with which slip. */
    interface Rule {
        /** @param consumer index of the reading stage; @param producer index of the segment that writes */
        Source source(int consumer, int producer);
    }

    record Source(int stage, int slip) {
    }

    static List<Edge> derive(List<SegmentOutline> segments, List<Stage> stages, Rule rule) {
        List<Edge> edges = new ArrayList<>();
        for (int consumer = 0; consumer < stages.size(); consumer++) {
            for (String tensor : segments.get(stages.get(consumer).segment()).reads()) {
                for (int producer = 0; producer < segments.size(); producer++) {
                    if (segments.get(producer).writes().contains(tensor)) {
                        Source source = rule.source(consumer, producer);
                        edges.add(new Edge(tensor, source.stage(), consumer, source.slip()));
                    }
                }
            }
        }
        return edges;
    }

    /** Slip 0 everywhere: each stage reads the stage of the same branch. */
    static List<Edge> synchronous(List<SegmentOutline> segments, List<Stage> stages) {
        return derive(segments, stages, (consumer, producer) -> {
            Branch branch = stages.get(consumer).branch();
            return IntStream.range(0, stages.size())
                .filter(stage -> stages.get(stage).segment() == producer && stages.get(stage).branch() == branch)
                .mapToObj(stage -> new Source(stage, 0)).findFirst().orElseThrow();
        });
    }
}
