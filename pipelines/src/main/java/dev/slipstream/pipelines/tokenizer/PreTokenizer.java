package dev.slipstream.pipelines.tokenizer;

import java.util.List;

/** Splits a text into the words that a {@link TokenModel} encodes one by one. Immutable, for any thread. */
interface PreTokenizer {
    /** @return words that are not empty */
    List<AlignedText> split(AlignedText text);

    /** This one, and then another for each of its words. */
    default PreTokenizer then(PreTokenizer next) {
        return text -> split(text).stream().flatMap(word -> next.split(word).stream()).toList();
    }
}
