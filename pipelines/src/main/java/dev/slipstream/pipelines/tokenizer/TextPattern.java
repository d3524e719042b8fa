package dev.slipstream.pipelines.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/** A pattern that is searched for in a text, such as spaces or words. Takes linear time for a whole text. */
interface TextPattern {
    int NONE = -1;

    /** @param matches whether this is a match, or the text between two matches */
    record Part(int from, int to, boolean matches) {
    }

    /** The end (exclusive) of the match that begins at {@code start}, or {@link #NONE}. */
    int end(String text, int start);

    /** Matches each character of a class. */
    static TextPattern each(IntPredicate kind) {
        return (text, start) -> {
            int c = text.codePointAt(start);
            return kind.test(c) ? start + Character.charCount(c) : NONE;
        };
    }

    /** Matches at least {@code least} consecutive characters of a class. */
    static TextPattern run(IntPredicate kind, int least) {
        return (text, start) -> {
            int end = skip(text, start, kind);
            return end > start && text.codePointCount(start, end) >= least ? end : NONE;
        };
    }

    static TextPattern literal(String wanted) {
        return (text, start) -> text.startsWith(wanted, start) ? start + wanted.length() : NONE;
    }

    /** The end of the consecutive characters of a class from {@code start} on. */
    static int skip(String text, int start, IntPredicate kind) {
        int end = start;
        while (end < text.length() && kind.test(text.codePointAt(end))) {
            end += Character.charCount(text.codePointAt(end));
        }
        return end;
    }

    /** The whole text as matches, found from left to right, and the parts between them. */
    default List<Part> parts(String text) {
        List<Part> parts = new ArrayList<>();
        int between = 0;
        int at = 0;
        while (at < text.length()) {
            int end = end(text, at);
            if (end == NONE) {
                at += Character.charCount(text.codePointAt(at));
                continue;
            }
            if (between < at) {
                parts.add(new Part(between, at, false));
            }
            parts.add(new Part(at, end, true));
            between = end;
            at = end;
        }
        if (between < text.length()) {
            parts.add(new Part(between, text.length(), false));
        }
        return parts;
    }
}
