package dev.slipstream.pipelines.run;

import dev.slipstream.bridge.DeviceLostException;

/**
 * A step was not done within the patience. The message says what each stuck stream runs or waits for; the devices that
 * did not move were given up, and have to be closed and opened again.
 */
public class LoopStuckException extends DeviceLostException {
    private static final long serialVersionUID = 1;

    public LoopStuckException(String message) {
        super(message);
    }
}
