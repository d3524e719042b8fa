package dev.slipstream.pipelines.run;

import java.util.ArrayList;
import java.util.List;

/** A work at its place in its stream. */
final class Node {
    final Work work;
    final int index;
    final List<Node> waits = new ArrayList<>(2);
    int[] clockAfter;
    int event = -1;

    Node(Work work, int index) {
        this.work = work;
        this.index = index;
    }

    /** Whether it is surely done when a stream's clock shows this: how many works of each stream are. */
    boolean isBefore(int[] clock) {
        return index < clock[work.stream()];
    }

    boolean writes(Value value) {
        return work.writes().stream().anyMatch(access -> access.value() == value);
    }
}
