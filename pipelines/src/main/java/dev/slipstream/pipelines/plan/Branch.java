package dev.slipstream.pipelines.plan;

/** The part of a classifier-free guidance batch that a stage computes. */
public enum Branch {
    /** Unconditional rows first, then the conditional ones, in one batch. */
    BOTH,
    UNCONDITIONAL,
    CONDITIONAL
}
