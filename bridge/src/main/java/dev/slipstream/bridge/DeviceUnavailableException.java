package dev.slipstream.bridge;

/** There is no such device here. The message says why, and what to do. */
public class DeviceUnavailableException extends DeviceException {
    private static final long serialVersionUID = 1;

    public DeviceUnavailableException(String message) {
        super(message);
    }

    public DeviceUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
