package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DeviceException;

/**
 * What a model made shows nothing: NaN or infinite values, or a picture of one colour. The message names the component;
 * in a loop with finite checks also the first place in program order: segment, tensor, device and step. All can run
 * again.
 */
public class BadValueException extends DeviceException {
    private static final long serialVersionUID = 1;

    public BadValueException(String message) {
        super(Fault.MODEL, false, message, null);
    }
}
