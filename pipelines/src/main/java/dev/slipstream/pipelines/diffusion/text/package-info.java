/**
 * Prompts to token ids, as the model's own tokenizer makes them.
 *
 * <p>Start at {@link dev.slipstream.pipelines.diffusion.text.Tokenizer}; {@link
 * dev.slipstream.pipelines.diffusion.text.WeightedText} reads attention weights in brackets, and {@link
 * dev.slipstream.pipelines.diffusion.text.PromptReading} says whether it is asked to. How text becomes tokens is the
 * matter of {@code dev.slipstream.pipelines.tokenizer}; this package knows what text encoders want around a prompt.
 */
package dev.slipstream.pipelines.diffusion.text;
