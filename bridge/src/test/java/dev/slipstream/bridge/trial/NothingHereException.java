package dev.slipstream.bridge.trial;

/** A trial needs what this machine does not have. */
final class NothingHereException extends RuntimeException {
    private static final long serialVersionUID = 1;

    NothingHereException(String message) {
        super(message);
    }
}
