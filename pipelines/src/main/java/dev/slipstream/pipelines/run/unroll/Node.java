package dev.slipstream.pipelines.run.unroll;

import java.util.ArrayList;
import java.util.List;

/**
 * A task at its place in its stream, with a vector clock: how many tasks of each stream are surely done before it
 * starts.
 */
final class Node {
    private final Task task;
    private final int[] clock;
    private final List<Node> waits = new ArrayList<>(2);

    /** @param clock how many tasks of each stream are done after the one before in its stream */
    Node(Task task, int[] clock) {
        this.task = task;
        this.clock = clock.clone();
    }

    Task task() {
        return task;
    }

    /** What it waits for on other streams: the last task of each, in the order in which it is waited for. */
    List<Node> waits() {
        return waits;
    }

    /** Waits for another task, unless that is done already. */
    void startAfter(Node other) {
        if (!other.isDoneBefore(this)) {
            waits.removeIf(earlier -> earlier.task.stream() == other.task.stream());
            waits.add(other);
            int[] then = other.clockAfter();
            for (int stream = 0; stream < clock.length; stream++) {
                clock[stream] = Math.max(clock[stream], then[stream]);
            }
        }
    }

    /** Whether it is surely done when another task starts. */
    boolean isDoneBefore(Node other) {
        return clock[task.stream()] < other.clock[task.stream()];
    }

    /** How many tasks of each stream are done when it is. */
    int[] clockAfter() {
        int[] after = clock.clone();
        after[task.stream()]++;
        return after;
    }
}
