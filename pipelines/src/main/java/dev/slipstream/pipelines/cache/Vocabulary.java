package dev.slipstream.pipelines.cache;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads prompts as parts, {@code on | blue background}, in words that mean the same wherever they mean the same. Which
 * words are left out, begin a part, or stand for each other says {@code words.txt}.
 */
final class Vocabulary {
    private static final Pattern TOKEN = Pattern.compile("[\\p{L}\\p{M}\\p{N}]+|[^\\s'’-]");
    private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{M}\\p{N}]+");
    private static final int LONGEST_PHRASE = 3;

    private final Set<String> silent = new HashSet<>();
    private final Set<String> beginnings = new HashSet<>();
    private final Set<String> places = new HashSet<>();
    private final Map<String, String> same = new HashMap<>();

    /**
     * Words that are described together.
     *
     * @param relation what joins it to the part before; empty for none
     * @param words all but the last describe the last
     */
    record Part(String relation, List<String> words) {
    }

    /** The one that comes with this class. */
    static Vocabulary english() {
        try (InputStream in = Objects.requireNonNull(Vocabulary.class.getResourceAsStream("words.txt"));
             BufferedReader reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return new Vocabulary(reader.lines().toList());
        } catch (IOException impossible) {
            throw new UncheckedIOException("words.txt of the class path cannot be read", impossible);
        }
    }

    private Vocabulary(List<String> lines) {
        for (String line : lines) {
            if (!line.isBlank() && !line.startsWith("#")) {
                String[] named = line.split(": ");
                List<String> words = List.of(named[1].split(" "));
                switch (named[0]) {
                    case "silent" -> silent.addAll(words);
                    case "parts" -> beginnings.addAll(words);
                    case "places" -> places.addAll(words);
                    case "same" -> meanTheSame(words.getFirst(), named[1].substring(words.getFirst().length() + 1));
                    default -> throw new IllegalStateException("words.txt has a line '" + line + "'");
                }
            }
        }
    }

    /** Where there are commas, what stands between them is a phrase; otherwise each word stands for itself. */
    private void meanTheSame(String meant, String others) {
        for (String other : others.split(others.contains(",") ? ", " : " ")) {
            same.put(other, meant);
        }
    }

    /** In the order of the prompt; but where one thing is at some places, it does not matter which is told first. */
    List<Part> parts(String prompt) {
        List<Part> parts = new ArrayList<>();
        List<String> words = new ArrayList<>();
        String relation = "";
        for (String token : replaced(tokens(prompt))) {
            boolean begins = beginnings.contains(token);
            if (begins || !WORD.matcher(token).matches()) {
                add(parts, relation, words);
                relation = begins ? token : "";
            } else {
                words.add(token);
                if (places.contains(token)) {
                    add(parts, relation, words);
                    relation = "";
                }
            }
        }
        add(parts, relation, words);
        if (parts.stream().filter(part -> !isPlace(part.words)).count() <= 1) {
            parts.sort(Comparator.comparing((Part part) -> isPlace(part.words))
                .thenComparing(part -> part.words.getLast()).thenComparing(part -> part.words.toString()));
        }
        return parts;
    }

    private void add(List<Part> parts, String relation, List<String> words) {
        if (!words.isEmpty()) {
            parts.add(new Part(isPlace(words) ? "" : relation, List.copyOf(words)));
            words.clear();
        }
    }

    private boolean isPlace(List<String> words) {
        return places.contains(words.getLast());
    }

    private List<String> tokens(String prompt) {
        List<String> tokens = new ArrayList<>();
        Matcher found = TOKEN.matcher(Salt.plain(prompt));
        while (found.find()) {
            if (!silent.contains(found.group())) {
                tokens.add(found.group());
            }
        }
        return tokens;
    }

    private List<String> replaced(List<String> tokens) {
        List<String> all = new ArrayList<>();
        int at = 0;
        while (at < tokens.size()) {
            int length = Math.min(LONGEST_PHRASE, tokens.size() - at);
            while (length > 1 && !same.containsKey(phrase(tokens, at, length))) {
                length--;
            }
            String phrase = phrase(tokens, at, length);
            all.add(same.getOrDefault(phrase, phrase));
            at += length;
        }
        return all;
    }

    private static String phrase(List<String> tokens, int at, int length) {
        return String.join(" ", tokens.subList(at, at + length));
    }
}
