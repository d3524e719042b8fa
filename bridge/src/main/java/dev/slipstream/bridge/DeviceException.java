package dev.slipstream.bridge;

/** Work on a device failed. The message names the call, the device, and what the device's library said. */
public class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DeviceException(String message) {
        super(message);
    }

    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
