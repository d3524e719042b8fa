package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;
import java.util.List;
import java.util.Locale;

/** Reads the {@code pre_tokenizer} of a tokenizer.json. */
final class PreTokenizers {
    private static final PreTokenizer NONE = text -> text.isEmpty() ? List.of() : List.of(text);
    private static final PreTokenizer SPACES = SplitBehavior.REMOVED.at(TextPattern.each(Characters::isSpace));
    private static final PreTokenizer WORDS_AND_SIGNS = SplitBehavior.REMOVED.at((text, start) -> {
        int end = TextPattern.skip(text, start, Characters::isWord);
        end = end > start ? end
            : TextPattern.skip(text, start, c -> !Characters.isWord(c) && !Characters.isSpace(c));
        return end > start ? end : TextPattern.NONE;
    }, true);

    private PreTokenizers() {
    }

    /** @throws dev.slipstream.pipelines.model.ModelException if it is damaged, or of a kind that is not supported */
    static PreTokenizer read(ConfigFile file) {
        return file.object("pre_tokenizer").map(pre -> Steps.flatten(pre, "pretokenizers").stream()
            .map(PreTokenizers::step).reduce(NONE, PreTokenizer::then)).orElse(NONE);
    }

    private static PreTokenizer step(ConfigFile step) {
        String type = step.text("type").orElse("");
        return switch (type) {
            case "WhitespaceSplit" -> SPACES;
            case "Whitespace" -> WORDS_AND_SIGNS;
            case "BertPreTokenizer" -> SPACES.then(SplitBehavior.ISOLATED.at(
                TextPattern.each(Characters::isPunctuation)));
            case "Punctuation" -> (step.has("behavior") ? behavior(step) : SplitBehavior.ISOLATED)
                .at(TextPattern.each(Characters::isPunctuation));
            case "Digits" -> (step.flag("individual_digits", false) ? SplitBehavior.ISOLATED : SplitBehavior.CONTIGUOUS)
                .at(TextPattern.each(Characters::isNumber));
            case "Split" -> behavior(step).at(Patterns.read(step), step.flag("invert", false));
            case "ByteLevel" -> ByteAlphabet.read(step);
            case "Metaspace" -> Metaspace.read(step);
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
}
