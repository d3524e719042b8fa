package dev.slipstream.pipelines.tokenizer;

import java.text.Normalizer.Form;

/**
 * One of Unicode's normal forms (UAX #15), made segment by segment: a character and all that may join it. Java sorts
 * combining marks by insertion, so a segment is cut after 1024 characters; no writing has more than some dozen.
 */
record UnicodeForm(Form form) implements Normalizer {
    private static final int LONGEST_SEGMENT = 1024;

    @Override
    public AlignedText normalize(AlignedText text) {
        String source = text.text();
        if (source.chars().allMatch(c -> c < 0x80)) {
            return text;
        }
        AlignedText.Builder normal = new AlignedText.Builder(text);
        int at = 0;
        while (at < source.length()) {
            int end = segmentEnd(source, at);
            String segment = source.substring(at, end);
            String changed = java.text.Normalizer.normalize(segment, form);
            if (changed.equals(segment)) {
                normal.keep(at, end);
            } else {
                normal.put(changed, at);
            }
            at = end;
        }
        return normal.build();
    }

    private static int segmentEnd(String text, int start) {
        int end = start + Character.charCount(text.codePointAt(start));
        while (end < text.length() && end - start < LONGEST_SEGMENT && mayJoin(text.codePointAt(end))) {
            end += Character.charCount(text.codePointAt(end));
        }
        return end;
    }

    /** Whether a character, or what it is decomposed into, may become one with those before it. */
    private static boolean mayJoin(int c) {
        return c >= 0x80 && (Characters.isMark(c)
            // Vowels and last consonants of Hangul, also in their other forms, and the voice marks of Katakana.
            || c >= 0x1160 && c <= 0x11FF || c >= 0x3131 && c <= 0x318E || c >= 0xFF9E && c <= 0xFFDC);
    }
}
