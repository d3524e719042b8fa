package dev.slipstream.bridge;

/** A device has no room for what was asked. The message has the sizes. The device stays usable. */
public class DeviceOutOfMemoryException extends DeviceException {
    private static final long serialVersionUID = 1;

    public DeviceOutOfMemoryException(String message) {
        super(Fault.MACHINE, true, message, null);
    }

    public DeviceOutOfMemoryException(String message, Throwable cause) {
        super(Fault.MACHINE, true, message, cause);
    }
}
