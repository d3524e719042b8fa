package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.ArrayList;
import java.util.List;

/**
 * A token that is searched for in the text before all other steps, as {@code AddedToken} of huggingface/tokenizers.
 *
 * @param content the text that is searched for
 * @param singleWord whether it matches only where it does not touch a letter or number
 * @param left whether it includes the spaces before it; {@code lstrip} in files
 * @param right whether it includes the spaces after it; {@code rstrip} in files
 * @param normalized whether it is searched for in the normalized text, and is normalized itself
 */
public record AddedToken(String content, int id, boolean singleWord, boolean left, boolean right, boolean normalized) {

    /**
     * A token without settings: a special token is searched for in the text as it is, another one in the normalized
     * text.
     */
    public static AddedToken of(String content, int id, boolean special) {
        return new AddedToken(content, id, false, false, false, !special);
    }

    /**
     * Reads an object with {@code content}, {@code lstrip} and the other settings.
     *
     * @param special whether it is a special token, if the object does not say so
     * @throws dev.slipstream.pipelines.model.ModelException if it is damaged
     */
    public static AddedToken read(ConfigFile token, int id, boolean special) {
        String content = token.text("content").orElseThrow(() -> token.wrong("content", "is missing"));
        return new AddedToken(content, id, token.flag("single_word", false), token.flag("lstrip", false),
            token.flag("rstrip", false), token.flag("normalized", !token.flag("special", special)));
    }

    /** Finds added tokens in a text, from left to right; at each place the longest. */
    static final class Search {
        private final List<AddedToken> tokens;
        private final Trie places = new Trie();

        /** @param contents the text to search for, for each token; of two equal texts the first counts */
        Search(List<AddedToken> tokens, List<String> contents) {
            this.tokens = List.copyOf(tokens);
            for (int i = tokens.size() - 1; i >= 0; i--) {
                String content = contents.get(i);
                if (content.length() > Trie.LONGEST) {
                    throw new IllegalArgumentException("an added token has more than " + Trie.LONGEST + " characters: "
                        + content.substring(0, 40) + "...");
                }
                if (!content.isEmpty()) {
                    places.put(content, i);
                }
            }
        }

        /** A part of a text. @param token null where there is none */
        record Part(int from, int to, AddedToken token) {
        }

        List<Part> parts(String text) {
            List<Part> parts = new ArrayList<>();
            int done = 0;
            for (int at = 0; at < text.length(); ) {
                int place = Trie.NONE;
                int end = at + 1;
                int node = Trie.ROOT;
                for (int i = at; i < text.length() && node != Trie.NONE; i++) {
                    node = places.child(node, text.charAt(i));
                    if (node != Trie.NONE && places.value(node) != Trie.NONE) {
                        place = places.value(node);
                        end = i + 1;
                    }
                }
                if (place != Trie.NONE && fits(tokens.get(place), text, at, end)) {
                    AddedToken token = tokens.get(place);
                    int from = token.left() ? afterLastWord(text, done, at) : at;
                    end = token.right() ? TextPattern.skip(text, end, Characters::isSpace) : end;
                    if (done < from) {
                        parts.add(new Part(done, from, null));
                    }
                    parts.add(new Part(from, end, token));
                    done = end;
                }
                at = end;
            }
            if (done < text.length()) {
                parts.add(new Part(done, text.length(), null));
            }
            return parts;
        }

        private static boolean fits(AddedToken token, String text, int from, int to) {
            return !token.singleWord() || (from == 0 || !Characters.isWord(text.codePointBefore(from)))
                && (to == text.length() || !Characters.isWord(text.codePointAt(to)));
        }

        private static int afterLastWord(String text, int done, int end) {
            int start = end;
            while (start > done && Characters.isSpace(text.charAt(start - 1))) {
                start--;
            }
            return start;
        }
    }
}
