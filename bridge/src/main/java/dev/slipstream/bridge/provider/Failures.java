package dev.slipstream.bridge.provider;

import dev.slipstream.bridge.DeviceException;
import dev.slipstream.bridge.DeviceLostException;

/** Failures that happened on a stream and reach callers later, maybe several of them. */
public final class Failures {
    private Failures() {
    }

    /** Where a failure came from, however many streams it went through. */
    public static DeviceException origin(DeviceException failure) {
        return failure.getCause() instanceof DeviceException earlier ? origin(earlier) : failure;
    }

    /**
     * A failure to throw to a caller. Each gets an exception of its own, with the caller's stack trace, as one object
     * thrown twice could be asked to suppress itself.
     */
    public static DeviceException thrown(DeviceException failure) {
        return failure instanceof DeviceLostException ? new DeviceLostException(failure.getMessage(), failure)
            : new DeviceException(failure.getMessage(), failure);
    }
}
