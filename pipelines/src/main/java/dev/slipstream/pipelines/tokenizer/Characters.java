package dev.slipstream.pipelines.tokenizer;

/** The classes of characters that tokenizers distinguish, as the regular expressions of their authors mean them. */
final class Characters {
    private static final int LETTERS = 1 << Character.UPPERCASE_LETTER | 1 << Character.LOWERCASE_LETTER
        | 1 << Character.TITLECASE_LETTER | 1 << Character.MODIFIER_LETTER | 1 << Character.OTHER_LETTER;
    private static final int NUMBERS = 1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER
        | 1 << Character.OTHER_NUMBER;
    private static final int MARKS = 1 << Character.NON_SPACING_MARK | 1 << Character.ENCLOSING_MARK
        | 1 << Character.COMBINING_SPACING_MARK;
    private static final int PUNCTUATION = 1 << Character.CONNECTOR_PUNCTUATION | 1 << Character.DASH_PUNCTUATION
        | 1 << Character.START_PUNCTUATION | 1 << Character.END_PUNCTUATION | 1 << Character.OTHER_PUNCTUATION
        | 1 << Character.INITIAL_QUOTE_PUNCTUATION | 1 << Character.FINAL_QUOTE_PUNCTUATION;
    private static final int OTHERS = 1 << Character.CONTROL | 1 << Character.FORMAT
        | 1 << Character.SURROGATE | 1 << Character.PRIVATE_USE;

    private Characters() {
    }

    private static boolean is(int c, int types) {
        return (types >>> Character.getType(c) & 1) != 0;
    }

    /** Unicode's White_Space; Java's own methods leave some out. */
    static boolean isSpace(int c) {
        return c == ' ' || c >= '\t' && c <= '\r' || c == 0x85 || c == 0xA0
            || c > 0xFF && Character.isSpaceChar(c);
    }

    static boolean isLetter(int c) {
        return is(c, LETTERS);
    }

    static boolean isNumber(int c) {
        return is(c, NUMBERS);
    }

    static boolean isDigit(int c) {
        return Character.isDigit(c);
    }

    static boolean isMark(int c) {
        return is(c, MARKS);
    }

    /** The diacritics of decomposed characters. */
    static boolean isNonSpacingMark(int c) {
        return Character.getType(c) == Character.NON_SPACING_MARK;
    }

    /** The class {@code \w} of regular expressions. */
    static boolean isWord(int c) {
        return Character.isAlphabetic(c) || is(c, MARKS) || Character.isDigit(c) || c == 0x200C || c == 0x200D
            || Character.getType(c) == Character.CONNECTOR_PUNCTUATION;
    }

    /** Punctuation, and the signs of ASCII that Unicode puts in other classes, such as {@code $}. */
    static boolean isPunctuation(int c) {
        return c < 0x80 ? c > ' ' && c < 0x7F && !Character.isLetterOrDigit(c) : is(c, PUNCTUATION);
    }

    /** Control, format, surrogate and private-use characters. */
    static boolean isOther(int c) {
        return is(c, OTHERS);
    }
}
