package dev.slipstream.pipelines.tokenizer;

import dev.slipstream.pipelines.tokenizer.TextPattern.Part;
import java.util.ArrayList;
import java.util.List;

/** What becomes of the matches that a text is split at. */
enum SplitBehavior {
    REMOVED, ISOLATED, CONTIGUOUS, MERGED_WITH_PREVIOUS, MERGED_WITH_NEXT;

    PreTokenizer at(TextPattern pattern) {
        return text -> cut(text, pattern.parts(text.text()));
    }

    /** @param inverted whether matches are what stays, and what lies between them is split at */
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

    /** Whether a part and the one that follows it make one word. */
    private boolean joins(Part part, Part next) {
        return switch (this) {
            case REMOVED, ISOLATED -> false;
            case CONTIGUOUS -> part.matches() == next.matches();
            case MERGED_WITH_PREVIOUS -> next.matches() && !part.matches();
            case MERGED_WITH_NEXT -> part.matches() && !next.matches();
        };
    }
}
