package dev.slipstream.pipelines.tokenizer;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.slipstream.pipelines.model.ConfigFile;
import dev.slipstream.pipelines.model.ModelException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The model {@code Unigram} (Kudo, arXiv:1804.10959): of all ways to write a word with tokens, the one with the largest
 * sum of their scores, found from front to back (Viterbi). Details are those of huggingface/tokenizers: a character
 * that is no token costs {@value #UNKNOWN_COSTS} more than the worst token, and such characters in a row are one.
 *
 * @param source for messages
 * @param unknown the id of what is no token; null if the file has none
 * @param byteTokens in whose place unknown characters are written; null without such
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
        int[] byteTokens = model.flag("byte_fallback", false) ? new Vocabulary(model, ids, null).byteTokens() : null;
        return new Unigram(model.path(), ids, tokens, scores, worst - UNKNOWN_COSTS, unknown, byteTokens);
    }

    /** What is known of the best way up to each place: its score, where its last token begins, and that token. */
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
