package dev.slipstream.samples.terminal;

import java.io.IOException;
import java.io.Writer;
import java.nio.CharBuffer;

/**
 * Makes text safe to show on a terminal. Text from files, such as names of tensors, may hold characters that move the
 * cursor, change colours or turn the direction of writing. They are escaped as in JSON, by a backslash, a u and four
 * hexadecimal digits, so that in a JSON string they are still the same characters.
 */
public final class Printable {
    private Printable() {
    }

    /** As one line: line ends and tabs are escaped, too. */
    static String line(String text) {
        return escaped(text, "");
    }

    /** As several lines. */
    static String lines(CharSequence text) {
        return escaped(text, "\n\r\t");
    }

    private static String escaped(CharSequence text, String allowed) {
        StringBuilder shown = null;
        for (int index = 0; index < text.length(); index++) {
            char c = text.charAt(index);
            boolean plain = !commands(c) || allowed.indexOf(c) >= 0 && !isBare(text, index);
            if (!plain && shown == null) {
                shown = new StringBuilder(text.length() + 16).append(text, 0, index);
            }
            if (shown != null) {
                shown.append(plain ? Character.toString(c) : String.format("\\u%04X", (int) c));
            }
        }
        return shown == null ? text.toString() : shown.toString();
    }

    /** Whether it is a CR without LF, which would let the rest of a line overwrite its beginning. */
    private static boolean isBare(CharSequence text, int index) {
        return text.charAt(index) == '\r' && (index + 1 == text.length() || text.charAt(index + 1) != '\n');
    }

    /** Control characters (Unicode's Cc), marks of direction (UAX 9), and ends of lines and paragraphs. */
    private static boolean commands(char c) {
        return Character.isISOControl(c) || c == '\u061C' || c == '\u200E' || c == '\u200F'
            || c >= '\u2028' && c <= '\u202E' || c >= '\u2066' && c <= '\u2069';
    }

    /** Makes all text that is written safe, as several lines. Failures are thrown at the latest by {@code flush}. */
    static final class Lines extends Writer {
        private final Writer to;

        Lines(Writer to) {
            this.to = to;
        }

        @Override
        public void write(char[] text, int from, int length) throws IOException {
            to.write(lines(CharBuffer.wrap(text, from, length)));
        }

        @Override
        public void flush() throws IOException {
            to.flush();
        }

        @Override
        public void close() throws IOException {
            to.close();
        }
    }
}
