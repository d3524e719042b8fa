package dev.slipstream.samples;

/** What the user asked for cannot be done. The message says why, and after a semicolon what to do. */
public final class InputException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public InputException(String message) {
        super(message);
    }

    public InputException(String message, Throwable cause) {
        super(message, cause);
    }
}
