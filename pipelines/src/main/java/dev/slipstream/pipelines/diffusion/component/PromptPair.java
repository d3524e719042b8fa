package dev.slipstream.pipelines.diffusion.component;

import dev.slipstream.pipelines.diffusion.text.PromptReading;

/**
 * What the text encoders are given for one request.
 *
 * @param unconditional the negative prompt, or the empty text where nothing is predicted unconditionally
 */
public record PromptPair(String unconditional, String conditional, PromptReading reading) {
}
