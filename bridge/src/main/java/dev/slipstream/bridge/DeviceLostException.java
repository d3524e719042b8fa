package dev.slipstream.bridge;

/**
 * A device no longer answers, and everything on it is gone. After an error of the hardware or of a kernel on a GPU the
 * process has to be restarted; a device that was given up because its work never ended may be opened again.
 */
public class DeviceLostException extends DeviceException {
    private static final long serialVersionUID = 1;

    public DeviceLostException(String message) {
        super(message);
    }

    public DeviceLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
