package dev.slipstream.bridge;

/** There is no such device here. The message says why, and what to do. */
public class DeviceUnavailableException extends DeviceException {
    private static final long serialVersionUID = 1;

    public DeviceUnavailableException(String message) {
        super(Fault.CALLER, false, message, null);
    }

    public DeviceUnavailableException(String message, Throwable cause) {
        super(Fault.CALLER, false, message, cause);
    }
}
