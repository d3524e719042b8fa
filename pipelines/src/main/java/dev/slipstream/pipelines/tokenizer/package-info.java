/**
 * Text to token ids, as the files of a tokenizer's folder say, without any native code.
 *
 * <p>Start at {@link dev.slipstream.pipelines.tokenizer.TokenEncoder}, which reads the {@code tokenizer.json} of
 * huggingface/tokenizers; {@link dev.slipstream.pipelines.tokenizer.ClipVocabulary} makes one from CLIP's older
 * files, and {@link dev.slipstream.pipelines.tokenizer.TokenNames} reads the files beside it. A text passes the added
 * tokens, a {@link dev.slipstream.pipelines.tokenizer.Normalizer}, a {@link
 * dev.slipstream.pipelines.tokenizer.PreTokenizer} and a {@link dev.slipstream.pipelines.tokenizer.TokenModel}; each
 * has a reader that knows the kinds in use and refuses others by name. No file is trusted: a text of n characters
 * always takes time in the order of {@code n log n}, and regular expressions are recognised, never run.
 */
package dev.slipstream.pipelines.tokenizer;
