package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.config.ConfigFile;
import dev.slipstream.pipelines.tokenizer.TextPattern.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Splits a text into the words that a {@link TokenModel} encodes one by one. Immutable, for any thread. */
interface PreTokenizer {
    /** @return words that are not empty */
    List<AlignedText> split(AlignedText text);

    /** Applies this one, and then another to each of its words. */
    default PreTokenizer then(PreTokenizer next) {
        return text -> split(text).stream().flatMap(word -> next.split(word).stream()).toList();
    }

    /**
     * Reads the {@code pre_tokenizer} of a tokenizer.json.
     *
     * @throws dev.slipstream.pipelines.model.ModelException if it is damaged, or of a kind that is not supported
     */
    static PreTokenizer read(ConfigFile file) {
        PreTokenizer whole = text -> text.isEmpty() ? List.of() : List.of(text);
        List<ConfigFile> steps = file.object("pre_tokenizer").map(pre -> Steps.flatten(pre, "pretokenizers"))
            .orElse(List.of());
        return steps.stream().map(PreTokenizer::step).reduce(whole, PreTokenizer::then);
    }

    private static PreTokenizer step(ConfigFile step) {
        String type = step.text("type").orElse("");
        return switch (type) {
            case "WhitespaceSplit" -> spaces();
            case "Whitespace" -> wordsAndSigns();
            case "BertPreTokenizer" -> spaces().then(SplitBehavior.ISOLATED.at(
                TextPattern.each(Characters::isPunctuation)));
            case "Punctuation" -> (step.has("behavior") ? behavior(step) : SplitBehavior.ISOLATED)
                .at(TextPattern.each(Characters::isPunctuation));
            case "Digits" -> (step.flag("individual_digits", false) ? SplitBehavior.ISOLATED : SplitBehavior.CONTIGUOUS)
                .at(TextPattern.each(Characters::isNumber));
            case "Split" -> behavior(step).at(Steps.pattern(step), step.flag("invert", false));
            case "ByteLevel" -> ByteAlphabet.read(step);
            case "Metaspace" -> metaspace(step);
            default -> throw step.wrong("pre_tokenizer",
                "has a step of a kind that is not supported, \"" + type + "\"");
        };
    }

    private static SplitBehavior behavior(ConfigFile step) {
        String name = step.text("behavior").orElse("");
        return switch (name.replace("_", "").toLowerCase(Locale.ROOT)) {
            case "removed" -> SplitBehavior.REMOVED;
            case "isolated" -> SplitBehavior.ISOLATED;
            case "contiguous" -> SplitBehavior.CONTIGUOUS;
            case "mergedwithprevious" -> SplitBehavior.MERGED_WITH_PREVIOUS;
            case "mergedwithnext" -> SplitBehavior.MERGED_WITH_NEXT;
            default -> throw step.wrong("behavior", "is not known, \"" + name + "\"");
        };
    }

    private static PreTokenizer spaces() {
        return SplitBehavior.REMOVED.at(TextPattern.each(Characters::isSpace));
    }

    private static PreTokenizer wordsAndSigns() {
        return SplitBehavior.REMOVED.at((text, start) -> {
            int end = TextPattern.skip(text, start, Characters::isWord);
            end = end > start ? end
                : TextPattern.skip(text, start, c -> !Characters.isWord(c) && !Characters.isSpace(c));
            return end > start ? end : TextPattern.NONE;
        }, true);
    }

    /** Writes each blank as a visible sign, as google/sentencepiece does, and begins a word at it. */
    private static PreTokenizer metaspace(ConfigFile step) {
        String sign = step.text("replacement").orElse("\u2581");
        if (sign.codePointCount(0, sign.length()) != 1) {
            throw step.wrong("replacement", "must be one character, not \"" + sign + '"');
        }
        // Older files have a flag instead of the scheme.
        String scheme = step.text("prepend_scheme").orElse(step.flag("add_prefix_space", true) ? "always" : "never");
        if (!scheme.equals("always") && !scheme.equals("first") && !scheme.equals("never")) {
            throw step.wrong("prepend_scheme", "is not known, \"" + scheme + '"');
        }
        Normalizer replace = new Normalizer.Replacement(TextPattern.literal(" "), sign);
        Normalizer prepend = Normalizer.prepend(sign);
        PreTokenizer split = step.flag("split", true) ? SplitBehavior.MERGED_WITH_NEXT.at(TextPattern.literal(sign))
            : SplitBehavior.ISOLATED.at((text, start) -> text.length());
        return text -> {
            AlignedText replaced = replace.normalize(text);
            boolean prepends = !replaced.isEmpty() && !replaced.text().startsWith(sign)
                && (scheme.equals("always") || scheme.equals("first") && replaced.origin(0) == 0);
            return split.split(prepends ? prepend.normalize(replaced) : replaced);
        };
    }

    /** How the matches that a text is split at are treated. */
    enum SplitBehavior {
        REMOVED, ISOLATED, CONTIGUOUS, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT;

        PreTokenizer at(TextPattern pattern) {
            return text -> cut(text, pattern.parts(text.text()));
        }

        /** @param inverted whether the text is split at what is between the matches */
        PreTokenizer at(TextPattern pattern, boolean inverted) {
            return inverted ? text -> cut(text, pattern.parts(text.text()).stream()
                .map(part -> new Part(part.from(), part.to(), !part.matches())).toList()) : at(pattern);
        }

        private List<AlignedText> cut(AlignedText text, List<Part> parts) {
            List<AlignedText> words = new ArrayList<>();
            int from = 0;
            for (int i = 0; i < parts.size(); i++) {
                Part part = parts.get(i);
                if (i + 1 < parts.size() && joins(part, parts.get(i + 1))) {
                    continue;
                }
                if (this != REMOVED || !part.matches()) {
                    words.add(text.slice(this == REMOVED ? part.from() : from, part.to()));
                }
                from = part.to();
            }
            return words;
        }

        /** Whether a part and the next one make one word. */
        private boolean joins(Part part, Part next) {
            return switch (this) {
                case REMOVED, ISOLATED -> false;
                case CONTIGUOUS -> part.matches() == next.matches();
                case MERGED_WITH_PREVIOUS -> next.matches() && !part.matches();
                case MERGED_WITH_NEXT -> part.matches() && !next.matches();
            };
        }
    }
}
