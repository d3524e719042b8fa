package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;

/** Reads the patterns of a tokenizer.json: fixed texts, and the regular expressions that are known here. */
final class Patterns {
    private static final Map<String, IntPredicate> KINDS = Map.of("\\s", Characters::isSpace,
        "\\S", c -> !Characters.isSpace(c), "\\d", Characters::isDigit, "\\w", Characters::isWord,
        "\\p{L}", Characters::isLetter, "\\p{N}", Characters::isNumber,
        "\\n", c -> c == '\n', "\\r", c -> c == '\r', "\\t", c -> c == '\t');
    private static final String SPECIAL = "\\^$.|?*+()[]{}";

    private Patterns() {
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if it is none, or an expression that is not known */
    static TextPattern read(ConfigFile step) {
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

    /** One kind of characters, once or in a row: {@code \s+}, or two blanks and more. */
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
