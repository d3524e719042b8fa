package dev.slipstream.bridge;

/** Whether a provider can be used here, as a value that explains itself. */
public sealed interface Availability {
    /** It can; {@code detail} says with what (versions, counts). */
    record Available(String detail) implements Availability {
    }

    /** It cannot; {@code reason} says what was tried, and {@code remedy} what to install or change. */
    record Unavailable(String reason, String remedy) implements Availability {
    }

    default boolean isAvailable() {
        return this instanceof Available;
    }
}
