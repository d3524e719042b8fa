package dev.slipstream.pipelines.model.init;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A vocabulary in the form of CLIP's that knows every text, letter by letter, and a few words whole.
 *
 * <p>Ids as in CLIP: 256 bytes, the same at the end of a word, what pairs of pieces are merged to, and as the last of
 * all the start and the end of a text. A vocabulary of CLIP's own size has a gap before these two.
 */
final class SmallVocabulary {
    static final String START = "<|startoftext|>";
    static final String END = "<|endoftext|>";

    private static final String WORD_END = "</w>";
    private static final List<String> WORDS = List.of("a", "an", "the", "of", "on", "in", "and", "with", "two", "three",
        "small", "large", "red", "green", "blue", "yellow", "white", "black", "circle", "square", "star", "triangle",
        "background", "photo", "painting", "cat", "dog", "house", "tree", "mountain", "river", "sky", "portrait");

    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final Set<String> merges = new LinkedHashSet<>();

    /** @param size ids in all, as the text encoder has them */
    SmallVocabulary(int size) {
        List<String> bytes = bytes();
        bytes.forEach(this::add);
        bytes.forEach(piece -> add(piece + WORD_END));
        WORDS.forEach(this::learn);
        if (ids.size() + 2 > size) {
            throw new IllegalArgumentException("a vocabulary of " + size + " has no room for " + (ids.size() + 2));
        }
        ids.put(START, size - 2);
        ids.put(END, size - 1);
    }

    /** GPT-2's letters for bytes: printable ones for themselves, first, and the others for what follows Latin-1. */
    private static List<String> bytes() {
        List<String> printable = new ArrayList<>();
        List<String> others = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            if (value > ' ' && value < 0x7f || value > 0xa0 && value != 0xad) {
                printable.add(Character.toString(value));
            } else {
                others.add(Character.toString(256 + others.size()));
            }
        }
        printable.addAll(others);
        return printable;
    }

    private void add(String piece) {
        ids.putIfAbsent(piece, ids.size());
    }

    private void learn(String word) {
        String known = word.substring(0, 1);
        for (int i = 1; i < word.length(); i++) {
            String next = word.charAt(i) + (i == word.length() - 1 ? WORD_END : "");
            merges.add(known + " " + next);
            known += next;
            add(known);
        }
    }

    /** vocab.json. */
    JsonObject vocabulary() {
        JsonObject json = new JsonObject();
        ids.forEach(json::addProperty);
        return json;
    }

    /** merges.txt, the first to be made first. */
    String merges() {
        return "#version: 0.2\n" + String.join("\n", merges) + "\n";
    }
}
