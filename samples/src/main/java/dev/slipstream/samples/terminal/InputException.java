package dev.slipstream.samples.terminal;

import dev.slipstream.bridge.SlipstreamException;

/** The user asked for something that cannot be done. The message says why, and after a semicolon what to do. */
public final class InputException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    public InputException(String message) {
        this(message, null);
    }

    public InputException(String message, Throwable cause) {
        super(Fault.CALLER, false, message, cause);
    }
}
