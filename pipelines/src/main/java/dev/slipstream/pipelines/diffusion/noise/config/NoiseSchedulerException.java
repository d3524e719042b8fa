package dev.slipstream.pipelines.diffusion.noise.config;

import dev.slipstream.bridge.SlipstreamException;

/**
 * A noise scheduler's configuration is damaged or of a kind that is not supported, or cannot take the steps that a
 * request asks for. The message names the file, the option and what to choose instead.
 */
public class NoiseSchedulerException extends SlipstreamException {
    private static final long serialVersionUID = 1;

    /** The request asks for steps or a method that cannot be had. */
    public NoiseSchedulerException(String message) {
        super(Fault.CALLER, false, message, null);
    }

    private NoiseSchedulerException(Fault fault, String message, Throwable cause) {
        super(fault, false, message, cause);
    }

    /** The file says what cannot be followed. @param cause may be null */
    static NoiseSchedulerException ofFile(String message, Throwable cause) {
        return new NoiseSchedulerException(Fault.MODEL, message, cause);
    }

    /** The same failure once more, for another who meets it. */
    public NoiseSchedulerException again() {
        return new NoiseSchedulerException(fault(), getMessage(), this);
    }
}
