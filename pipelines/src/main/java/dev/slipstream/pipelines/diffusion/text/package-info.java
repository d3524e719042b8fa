/**
 * Prompts to token ids, as the model's own tokenizer makes them.
 *
 * <p>Start at {@link dev.slipstream.pipelines.diffusion.text.Tokenizer}; {@link
 * dev.slipstream.pipelines.diffusion.text.WeightedText} reads attention weights in brackets, and
 * {@link dev.slipstream.pipelines.diffusion.text.PromptReading} says whether it is asked to. The native library behind
 * the tokenizer is found and kept by {@code NativeTokenizerLibrary}, without any download.
 */
package dev.slipstream.pipelines.diffusion.text;
