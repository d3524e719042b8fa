package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DeviceException;

/**
 * A stage of a loop with finite checks made NaN or infinite values. The message names the first one in program order:
 * segment, tensor, device and step. The execution can run again.
 */
public class BadValueException extends DeviceException {
    private static final long serialVersionUID = 1;

    public BadValueException(String message) {
        super(Fault.MODEL, false, message, null);
    }
}
