package dev.slipstream.pipelines.plan;

/**
 * A segment at its place: on a device, for a guidance branch.
 *
 * @param segment index into {@link Plan#segments}
 * @param device index of the device
 * @param lead how many steps ahead of the round's own step its timestep is: 0, or 1 where a round serves two steps
 * @param rounds which rounds of the plan are its own, too
 */
public record Stage(int segment, int device, Branch branch, int lead, Rounds rounds) {
    /** A stage that runs in every round of the plan. */
    public Stage(int segment, int device, Branch branch, int lead) {
        this(segment, device, branch, lead, Rounds.ALL);
    }

    /** The part of a classifier-free guidance batch that a stage computes. */
    public enum Branch {
        /** Unconditional rows first, then the conditional ones, in one batch. */
        BOTH,
        UNCONDITIONAL,
        CONDITIONAL
    }
}
