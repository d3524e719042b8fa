package dev.slipstream.pipelines.tokenizer;

/** Changes a text before it is split into words. Immutable, for any thread. */
interface Normalizer {
    /** @throws AlignedText.TooLongException if too much comes out */
    AlignedText normalize(AlignedText text);
}
