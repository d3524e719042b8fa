package dev.slipstream.pipelines.plan;

import java.util.Optional;

/**
 * A segment at its place: on a device, for a guidance branch.
 *
 * @param segment index into {@link Plan#segments}
 * @param device index of the device
 * @param lead how many steps ahead of the round's own step its timestep is: 0, or 1 where a round serves two steps
 * @param rounds which rounds of the plan are its own, too
 * @param phase the kind of steps that it is for
 */
public record Stage(int segment, int device, Branch branch, int lead, Rounds rounds, Phase phase) {
    /** A stage that runs in every round of the plan. */
    public Stage(int segment, int device, Branch branch, int lead) {
        this(segment, device, branch, lead, Rounds.ALL, Phase.ALL);
    }

    /** A stage that runs in synchronous steps and in those of its rounds. */
    public Stage(int segment, int device, Branch branch, int lead, Rounds rounds) {
        this(segment, device, branch, lead, rounds, Phase.ALL);
    }

    /** The kinds of steps that a stage runs in: a network may look otherwise in the window than outside it. */
    public enum Phase {
        ALL,
        /** Only in synchronous steps: what runs in the window makes the same tensors there. */
        SYNCHRONOUS,
        /** Only in the window: in synchronous steps another stage makes the same tensors. */
        WINDOW;

        /** Steps that both are for; empty if there are none. */
        Optional<Phase> and(Phase other) {
            return this == ALL || this == other ? Optional.of(other) : other == ALL ? Optional.of(this)
                : Optional.empty();
        }

        boolean includes(boolean synchronous) {
            return this == ALL || (this == SYNCHRONOUS) == synchronous;
        }
    }

    /** The part of a classifier-free guidance batch that a stage computes. */
    public enum Branch {
        /** Unconditional rows first, then the conditional ones, in one batch. */
        BOTH,
        UNCONDITIONAL,
        CONDITIONAL
    }
}
