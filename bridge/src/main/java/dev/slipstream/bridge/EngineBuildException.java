package dev.slipstream.bridge;

/** A graph could not be made into an engine. The message names the source and the reason. */
public class EngineBuildException extends DeviceException {
    private static final long serialVersionUID = 1;

    public EngineBuildException(String message) {
        super(Fault.SLIPSTREAM, false, message, null);
    }

    public EngineBuildException(String message, Throwable cause) {
        super(Fault.SLIPSTREAM, false, message, cause);
    }
}
