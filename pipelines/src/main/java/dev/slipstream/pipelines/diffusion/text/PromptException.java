package dev.slipstream.pipelines.diffusion.text;

/** A prompt that the model cannot take. The message says why, and what was lost. */
public class PromptException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public PromptException(String message) {
        super(message);
    }
}
