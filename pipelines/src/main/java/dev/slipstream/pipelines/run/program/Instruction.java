package dev.slipstream.pipelines.run.program;

import dev.slipstream.pipelines.run.program.Decision.Condition;
import java.util.List;
import java.util.Optional;

/**
 * One thing that a stream does: it launches work, or it keeps the order with other streams; or what the host decides
 * before it goes on queueing. {@code step} is the denoising step that it serves, for timelines and progress.
 */
public sealed interface Instruction {
    int stream();

    int step();

    /**
     * Works on tensors.
     *
     * @param condition under which it does; empty for always. Only launches have one: clocks and waits are those of all
     *     that may run, whatever is decided
     */
    record Launch(int stream, int step, Work<Region> work, Optional<Condition> condition) implements Instruction {
        public Launch(int stream, int step, Work<Region> work) {
            this(stream, step, work, Optional.empty());
        }
    }

    /** Marks a point that other streams, or the host, wait for. */
    record Record(int stream, int step, int event) implements Instruction {
    }

    /** Holds the stream until another stream has passed a point. */
    record Wait(int stream, int step, int event) implements Instruction {
    }

    /**
     * Holds the host until numbers are there ({@link Work.Report}), by which it makes a decision for this step. What is
     * queued goes on meanwhile.
     *
     * @param stream the first that launches something on condition
     * @param decision index into {@link Program#decisions}
     * @param event behind the last of the reports
     * @param scalars the numbers that are new since the decision before, at least one
     */
    record Decide(int stream, int step, int decision, int event, List<Integer> scalars) implements Instruction {
        public Decide {
            scalars = List.copyOf(scalars);
        }
    }
}
