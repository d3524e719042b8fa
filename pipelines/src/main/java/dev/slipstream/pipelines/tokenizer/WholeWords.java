package dev.slipstream.pipelines.tokenizer;

import java.util.Map;

/** The model {@code WordLevel}: a word is a token or unknown. */
record WholeWords(Vocabulary words) implements TokenModel {
    @Override
    public void encode(AlignedText word, Encoding.Builder tokens) {
        Integer id = words.ids().get(word.text());
        tokens.add(id == null ? words.unknownId() : id, word.origin(0));
    }

    @Override
    public Map<String, Integer> vocabulary() {
        return words.ids();
    }
}
