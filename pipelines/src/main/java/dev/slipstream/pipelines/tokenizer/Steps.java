package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.config.ConfigFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;

/** What the steps of normalizers and pre-tokenizers have in common in a tokenizer.json: sequences and patterns. */
final class Steps {
    /** Real files have up to five; each step takes time for every character. */
    private static final int MOST = 32;

    private static final Map<String, IntPredicate> KINDS = Map.of("\\s", Characters::isSpace,
        "\\S", c -> !Characters.isSpace(c), "\\d", Characters::isDigit, "\\w", Characters::isWord,
        "\\p{L}", Characters::isLetter, "\\p{N}", Characters::isNumber,
        "\\n", c -> c == '\n', "\\r", c -> c == '\r', "\\t", c -> c == '\t');
    private static final String SPECIAL = "\\^$.|?*+()[]{}";

    private Steps() {
    }

    /**
     * The steps as a flat list, without the sequences that contain them.
     *
     * @param key of the list in a sequence
     * @throws dev.slipstream.pipelines.model.ModelException if there are too many
     */
    static List<ConfigFile> flatten(ConfigFile step, String key) {
        List<ConfigFile> steps = new ArrayList<>();
        collect(step, key, steps);
        return steps;
    }

    private static void collect(ConfigFile step, String key, List<ConfigFile> steps) {
        if (step.text("type").filter("Sequence"::equals).isPresent()) {
            step.objects(key).forEach(inner -> collect(inner, key, steps));
        } else if (steps.size() < MOST) {
            steps.add(step);
        } else {
            throw step.wrong(key, "has more than " + MOST + " steps");
        }
    }

    /**
     * The {@code pattern} of a step: a fixed text, or one of the regular expressions that are known here.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if it is missing, or an expression that is not known
     */
    static TextPattern pattern(ConfigFile step) {
        ConfigFile pattern = step.object("pattern").orElseThrow(() -> step.wrong("pattern", "is missing"));
        Optional<String> literal = pattern.text("String");
        if (literal.isPresent()) {
            return TextPattern.literal(literal.filter(text -> !text.isEmpty())
                .orElseThrow(() -> step.wrong("pattern", "must not be empty")));
        }
        String regex = pattern.text("Regex").orElseThrow(() -> step.wrong("pattern", "must be a String or a Regex"));
        return WordPattern.of(regex).map(known -> (TextPattern) known).or(() -> run(regex)).orElseThrow(() ->
            step.wrong("pattern", "is a regular expression that is not supported: " + regex));
    }

    /** One class of characters, once or repeatedly: {@code \s+}, or two and more blanks. */
    private static Optional<TextPattern> run(String regex) {
        if (regex.endsWith("+")) {
            return kind(regex.substring(0, regex.length() - 1)).map(kind -> TextPattern.run(kind, 1));
        }
        if (regex.endsWith("{2,}")) {
            return kind(regex.substring(0, regex.length() - 4)).map(kind -> TextPattern.run(kind, 2));
        }
        return kind(regex).map(TextPattern::each);
    }

    private static Optional<IntPredicate> kind(String regex) {
        boolean inBrackets = regex.startsWith("[") && regex.endsWith("]");
        String kind = inBrackets ? regex.substring(1, regex.length() - 1) : regex;
        if (kind.codePointCount(0, kind.length()) == 1 && !SPECIAL.contains(kind)) {
            int wanted = kind.codePointAt(0);
            return Optional.of(c -> c == wanted);
        }
        return Optional.ofNullable(KINDS.get(kind));
    }
}
