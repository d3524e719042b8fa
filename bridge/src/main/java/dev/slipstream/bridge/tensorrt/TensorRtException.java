package dev.slipstream.bridge.tensorrt;

import dev.slipstream.bridge.DeviceException;

/** A call of TensorRT failed. The message names it, and has what TensorRT logged meanwhile. */
final class TensorRtException extends DeviceException {
    private static final long serialVersionUID = 1;

    TensorRtException(String message, Throwable cause) {
        super(message, cause);
    }
}
