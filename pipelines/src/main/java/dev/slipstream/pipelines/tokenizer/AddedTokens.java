package dev.slipstream.pipelines.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** Finds added tokens in a text: from left to right, the longest that begins at a place. */
final class AddedTokens {
    private final List<AddedToken> tokens;
    private final Trie places = new Trie();

    /** @param contents what is looked for, for each of the tokens; of two that are equal, the first counts */
    AddedTokens(List<AddedToken> tokens, List<String> contents) {
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
