package dev.slipstream.bridge;

/** A device no longer answers. Everything on it is gone; close it and open it again. */
public class DeviceLostException extends DeviceException {
    private static final long serialVersionUID = 1;

    public DeviceLostException(String message) {
        super(message);
    }

    public DeviceLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
