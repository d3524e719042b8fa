package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ModelException;
import dev.slipstream.pipelines.model.config.ConfigFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Encodes one word as tokens of a vocabulary. Immutable, for any thread.
 *
 * <p>The models in this file look whole pieces up; {@link BytePairs} merges small ones.
 */
interface TokenModel {
    /**
     * Adds the tokens of a word, which is not empty.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if the word has no tokens, and the model has no token for
     *     unknown words
     */
    void encode(AlignedText word, Encoding.Builder tokens);

    /** Ids by token, for messages and for tokens that are named elsewhere. */
    Map<String, Integer> vocabulary();

    /** The id of what stands for unknown text; empty if there is none. */
    OptionalInt unknownToken();

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

        @Override
        public OptionalInt unknownToken() {
            return words.unknownToken();
        }
    }

    /**
     * The model {@code WordPiece} (google-research/bert): the longest token that a word begins with, then the longest
     * that goes on, and so on; a word that cannot be split like this is unknown as a whole.
     *
     * @param first tokens at the beginning of a word
     * @param later tokens inside a word, without the prefix that marks them
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
                // Tokens longer than any word are never found.
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

        @Override
        public OptionalInt unknownToken() {
            return pieces.unknownToken();
        }
    }

    /**
     * The model {@code Unigram} (Kudo, arXiv:1804.10959): of all ways to write a word with tokens, the one with the
     * largest sum of their scores, found from front to back (Viterbi). Details are those of huggingface/tokenizers: a
     * character that is no token costs {@value #UNKNOWN_COSTS} more than the worst token, and such characters in a row
     * are one.
     *
     * @param source for messages
     * @param unknown the id for unknown characters; null if the file has none
     * @param byteTokens as which unknown characters are written; null if there are none
     */
    record Unigram(Path source, Map<String, Integer> vocabulary, Trie tokens, double[] scores, double unknownScore,
        Integer unknown, int[] byteTokens) implements TokenModel {
        private static final double UNKNOWN_COSTS = 10;

        static Unigram read(ConfigFile model) {
            List<JsonElement> listed = model.list("vocab");
            Map<String, Integer> ids = HashMap.newHashMap(listed.size());
            double[] scores = new double[listed.size()];
            Trie tokens = new Trie();
            for (int id = 0; id < scores.length; id++) {
                JsonArray pair = listed.get(id).isJsonArray() ? listed.get(id).getAsJsonArray() : new JsonArray();
                if (pair.size() != 2) {
                    throw model.wrong("vocab", "must be a list of tokens and scores, not " + listed.get(id));
                }
                String token = model.text("vocab", pair.get(0));
                if (token.length() > Trie.LONGEST) {
                    throw model.wrong("vocab", "has a token of more than " + Trie.LONGEST + " characters");
                }
                scores[id] = model.number("vocab", pair.get(1));
                ids.put(token, id);
                tokens.put(token, id);
            }
            Integer unknown = model.element("unk_id").map(id -> model.index("unk_id", id)).orElse(null);
            if (unknown != null && unknown >= scores.length) {
                throw model.wrong("unk_id", "must be one of the " + scores.length + " tokens, not " + unknown);
            }
            double worst = Arrays.stream(scores).min().orElseThrow(() -> model.wrong("vocab", "is empty"));
            int[] byteTokens =
                model.flag("byte_fallback", false) ? new Vocabulary(model, ids, null).byteTokens() : null;
            return new Unigram(model.path(), ids, tokens, scores, worst - UNKNOWN_COSTS, unknown, byteTokens);
        }

        /** The best way up to each place: its score, the beginning of its last token, and that token. */
        private record Best(double[] score, int[] from, int[] id) {
            Best(int places) {
                this(new double[places], new int[places], new int[places]);
                Arrays.fill(from, -1);
            }

            void offer(int to, double candidate, int start, int token) {
                if (from[to] < 0 || candidate > score[to]) {
                    score[to] = candidate;
                    from[to] = start;
                    id[to] = token;
                }
            }
        }

        @Override
        public void encode(AlignedText word, Encoding.Builder encoded) {
            String text = word.text();
            Best best = best(text);
            // From back to front; the ends of tokens come out in the opposite order.
            int[] ends = new int[text.length()];
            int count = 0;
            for (int end = text.length(); end > 0; end = best.from[end]) {
                boolean continues = count > 0 && isUnknown(best.id[end]) && isUnknown(best.id[ends[count - 1]]);
                if (!continues) {
                    ends[count++] = end;
                }
            }
            int start = 0;
            while (count > 0) {
                int end = ends[--count];
                add(text.substring(start, end), word.origin(start), encoded);
                start = end;
            }
        }

        private Best best(String text) {
            Best best = new Best(text.length() + 1);
            for (int start = 0; start < text.length(); ) {
                int next = start + Character.charCount(text.codePointAt(start));
                boolean isToken = false;
                int node = Trie.ROOT;
                for (int end = start; end < text.length(); ) {
                    node = tokens.child(node, text.charAt(end++));
                    if (node == Trie.NONE) {
                        break;
                    }
                    if (tokens.value(node) != Trie.NONE) {
                        int id = tokens.value(node);
                        best.offer(end, best.score[start] + scores[id], start, id);
                        isToken |= end == next;
                    }
                }
                if (!isToken) {
                    best.offer(next, best.score[start] + unknownScore, start, unknownId());
                }
                start = next;
            }
            return best;
        }

        @Override
        public OptionalInt unknownToken() {
            return unknown == null ? OptionalInt.empty() : OptionalInt.of(unknown);
        }

        private boolean isUnknown(int id) {
            return unknown != null && id == unknown;
        }

        private int unknownId() {
            if (unknown == null) {
                throw new ModelException(source
                    + ": the prompt has what is not in the vocabulary, and \"unk_id\" is not said");
            }
            return unknown;
        }

        private void add(String token, int origin, Encoding.Builder encoded) {
            int id = tokens.get(token);
            int[] bytes = id != Trie.NONE || byteTokens == null ? null : Vocabulary.ofBytes(token, byteTokens);
            if (bytes == null) {
                encoded.add(id != Trie.NONE ? id : unknownId(), origin);
            } else {
                for (int part : bytes) {
                    encoded.add(part, origin);
                }
            }
        }
    }
}
