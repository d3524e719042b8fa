package dev.slipstream.pipelines.plan;

/** A plan cannot be made as asked. The message says what does not fit, and what would. */
public class PlanException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public PlanException(String message) {
        super(message);
    }
}
