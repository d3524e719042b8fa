package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;
import dev.slipstream.bridge.DeviceOutOfMemoryException;
import dev.slipstream.bridge.DeviceUnavailableException;
import dev.slipstream.bridge.EngineBuildException;

/** Failures that happened on a stream and reach callers later, maybe several of them. Any thread may use it. */
public final class Failures {
    private Failures() {
    }

    /** Where a failure came from, however many streams it went through. */
    public static DeviceException origin(DeviceException failure) {
        return failure.getCause() instanceof DeviceException earlier ? origin(earlier) : failure;
    }

    /**
     * A copy of a failure, for the caller to whom it is thrown. Each caller gets one of its own, with its own stack
     * trace, as one object that is thrown twice could be asked to suppress itself.
     */
    public static DeviceException copyForCaller(DeviceException failure) {
        return like(failure, reason(failure));
    }

    /** A failure with another message, of the kind by which callers tell what to do. */
    public static DeviceException like(DeviceException failure, String message) {
        return switch (failure) {
            case DeviceLostException lost -> new DeviceLostException(message, lost);
            case DeviceOutOfMemoryException full -> new DeviceOutOfMemoryException(message, full);
            case DeviceUnavailableException absent -> new DeviceUnavailableException(message, absent);
            case EngineBuildException unbuilt -> new EngineBuildException(message, unbuilt);
            default -> new DeviceException(message, failure);
        };
    }

    /** Why something failed, in words: many of Java's own exceptions say it with their names alone. */
    public static String reason(Throwable failure) {
        return failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }
}
