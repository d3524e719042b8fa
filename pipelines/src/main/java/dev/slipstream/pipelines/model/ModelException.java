package dev.slipstream.pipelines.model;

/** A model's file is missing, damaged, or of a kind that is not read. The message names it and says what to do. */
public class ModelException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public ModelException(String message) {
        super(message);
    }

    public ModelException(String message, Throwable cause) {
        super(message, cause);
    }
}
