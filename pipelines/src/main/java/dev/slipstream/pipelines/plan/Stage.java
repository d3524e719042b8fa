package dev.slipstream.pipelines.plan;

/**
 * A segment at its place: on a device, for a guidance branch.
 *
 * @param segment index into {@link Plan#segments}
 * @param device index of the device
 * @param lead how many steps ahead of the round's own step its timestep is: 0, or 1 where a round serves two steps
 */
public record Stage(int segment, int device, Branch branch, int lead) {
    /** The part of a classifier-free guidance batch that a stage computes. */
    public enum Branch {
        /** Unconditional rows first, then the conditional ones, in one batch. */
        BOTH,
        UNCONDITIONAL,
        CONDITIONAL
    }
}
