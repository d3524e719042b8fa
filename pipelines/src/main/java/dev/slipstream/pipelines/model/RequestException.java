package dev.slipstream.pipelines.model;

import dev.slipstream.bridge.SlipstreamException;

/** A model cannot do what it is asked for. The message says what does not fit the model, and what would. */
public class RequestException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    public RequestException(String message) {
        super(Fault.CALLER, false, message, null);
    }

    public RequestException(String message, Throwable cause) {
        super(Fault.CALLER, false, message, cause);
    }
}
