package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.model.ConfigFile;

/** Writes blanks as a sign of their own, as google/sentencepiece does, and begins a word at each. */
final class Metaspace {
    private Metaspace() {
    }

    /** The pre-tokenizer {@code Metaspace}. */
    static PreTokenizer read(ConfigFile step) {
        String sign = step.text("replacement").orElse("\u2581");
        if (sign.codePointCount(0, sign.length()) != 1) {
            throw step.wrong("replacement", "must be one character, not \"" + sign + '"');
        }
        // Older files have a flag in the place of the scheme.
        String scheme = step.text("prepend_scheme").orElse(step.flag("add_prefix_space", true) ? "always" : "never");
        if (!scheme.equals("always") && !scheme.equals("first") && !scheme.equals("never")) {
            throw step.wrong("prepend_scheme", "is not known, \"" + scheme + '"');
        }
        Normalizer replace = new Replacement(TextPattern.literal(" "), sign);
        Normalizer prepend = Normalizers.prepend(sign);
        PreTokenizer split = step.flag("split", true) ? SplitBehavior.MERGED_WITH_NEXT.at(TextPattern.literal(sign))
            : SplitBehavior.ISOLATED.at((text, start) -> text.length());
        return text -> {
            AlignedText replaced = replace.normalize(text);
            boolean prepends = !replaced.isEmpty() && !replaced.text().startsWith(sign)
                && (scheme.equals("always") || scheme.equals("first") && replaced.origin(0) == 0);
            return split.split(prepends ? prepend.normalize(replaced) : replaced);
        };
    }
}
