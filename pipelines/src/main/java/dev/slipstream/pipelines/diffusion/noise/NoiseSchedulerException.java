package dev.slipstream.pipelines.diffusion.noise;

/**
 * A noise scheduler's configuration is damaged, or asks for something that cannot be done. The message names the file,
 * the option and what to choose instead.
 */
public class NoiseSchedulerException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public NoiseSchedulerException(String message) {
        super(message);
    }

    public NoiseSchedulerException(String message, Throwable cause) {
        super(message, cause);
    }
}
