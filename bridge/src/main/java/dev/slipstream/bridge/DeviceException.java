package dev.slipstream.bridge;

import org.jspecify.annotations.Nullable;

/** Work on a device failed. The message names the call, the device, and what the device's library said. */
public class DeviceException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    public DeviceException(String message) {
        this(Fault.MACHINE, false, message, null);
    }

    public DeviceException(String message, Throwable cause) {
        this(Fault.MACHINE, false, message, cause);
    }

    /** As {@link SlipstreamException}. */
    protected DeviceException(Fault fault, boolean retryable, String message, @Nullable Throwable cause) {
        super(fault, retryable, message, cause);
    }
}
