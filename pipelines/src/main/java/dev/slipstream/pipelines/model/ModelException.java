package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.SlipstreamException;

/** A model's file is missing, damaged, or of a kind that is not read. The message names it and says what to do. */
public class ModelException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    public ModelException(String message) {
        super(Fault.MODEL, false, message, null);
    }

    public ModelException(String message, Throwable cause) {
        super(Fault.MODEL, false, message, cause);
    }
}
