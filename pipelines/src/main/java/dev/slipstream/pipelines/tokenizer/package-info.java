/**
 * Text to token ids, as the {@code tokenizer.json} of huggingface/tokenizers says, without any native code.
 *
 * <p>Start at {@link dev.slipstream.pipelines.tokenizer.TokenEncoder}. A text passes the added tokens, a {@link
 * dev.slipstream.pipelines.tokenizer.Normalizer}, a {@link dev.slipstream.pipelines.tokenizer.PreTokenizer} and a
 * {@link dev.slipstream.pipelines.tokenizer.TokenModel}; each has a reader that knows the kinds in use and refuses
 * others by name. Files come from strangers: whatever they say, a text of n characters takes time in the order of
 * {@code n log n}, and regular expressions are recognised, never run.
 */
package dev.slipstream.pipelines.tokenizer;
