package dev.slipstream.pipelines.plan;

import dev.slipstream.bridge.SlipstreamException;

/** A plan cannot be made as asked. The message says what does not fit, and what would. */
public class PlanException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    public PlanException(String message) {
        super(Fault.CALLER, false, message, null);
    }
}
