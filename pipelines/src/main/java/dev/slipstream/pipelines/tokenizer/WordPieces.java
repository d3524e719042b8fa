package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import java.util.Map;

/**
 * The model {@code WordPiece} (google-research/bert): the longest token that a word begins with, then the longest
 * that goes on, and so forth; a word that does not come out is unknown as a whole.
 *
 * @param first tokens at the beginning of a word
 * @param later tokens inside of it, without the prefix that marks them
 */
record WordPieces(Vocabulary pieces, Trie first, Trie later, int longestWord) implements TokenModel {
    static WordPieces read(ConfigFile model) {
        int longest = model.positiveInteger("max_input_chars_per_word", 100);
        if (longest > Trie.LONGEST) {
            throw model.wrong("max_input_chars_per_word", "must be at most " + Trie.LONGEST + ", not " + longest);
        }
        String prefix = model.text("continuing_subword_prefix").orElse("##");
        WordPieces pieces = new WordPieces(Vocabulary.read(model, "[UNK]"), new Trie(), new Trie(), longest);
        pieces.vocabulary().forEach((token, id) -> {
            // What is longer than any word is never found.
            if (token.length() <= 2 * longest + prefix.length()) {
                pieces.first.put(token, id);
                if (token.startsWith(prefix)) {
                    pieces.later.put(token.substring(prefix.length()), id);
                }
            }
        });
        return pieces;
    }

    @Override
    public void encode(AlignedText word, Encoding.Builder tokens) {
        String text = word.text();
        Encoding.Builder found = new Encoding.Builder();
        int at = 0;
        while (at < text.length() && text.codePointCount(0, text.length()) <= longestWord) {
            Trie trie = at == 0 ? first : later;
            int node = Trie.ROOT;
            int id = Trie.NONE;
            int next = at;
            for (int i = at; i < text.length() && node != Trie.NONE; i++) {
                node = trie.child(node, text.charAt(i));
                if (node != Trie.NONE && trie.value(node) != Trie.NONE) {
                    id = trie.value(node);
                    next = i + 1;
                }
            }
            if (id == Trie.NONE) {
                break;
            }
            found.add(id, word.origin(at));
            at = next;
        }
        if (at == text.length()) {
            tokens.addAll(found);
        } else {
            tokens.add(pieces.unknownId(), word.origin(0));
        }
    }

    @Override
    public Map<String, Integer> vocabulary() {
        return pieces.ids();
    }
}
